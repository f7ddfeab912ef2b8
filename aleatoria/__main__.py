"""The command `aleatoria`, which `python -m aleatoria` runs too: `serve` starts the server, `help` lists the rest.

Unlike `manage.py`, it needs no configuration: where there is none, the settings are those of a trial.
"""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from aleatoria import environment


def main() -> None:
    """Run the command that the arguments of this process name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aleatoria.settings")
    environment.allow_trial()
    try:
        # The name is for help texts, whatever file Python was started with.
        execute_from_command_line(["aleatoria", *sys.argv[1:]])
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
