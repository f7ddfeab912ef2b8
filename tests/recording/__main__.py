"""Make the recording anew: DJANGO_SETTINGS_MODULE=tests.settings .venv/bin/python -m tests.recording

Do this only when the wire is meant to change, and read the difference before it is committed.
"""

import asyncio
import tempfile
from pathlib import Path

import django

from tests.recording.takes import COMMON, OWN, keep, take, write


async def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        recordings = await take(Path(directory))
    try:
        keep(recordings)
    except ValueError:
        for kind, recording in recordings.items():
            write(COMMON.with_suffix(f".{kind}"), recording.common)
            write(OWN[kind], recording.own)
        raise


if __name__ == "__main__":
    django.setup()
    asyncio.run(main())
