"""A server that nobody has configured: it is for trying things out on this machine only."""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError


def prepare(host: str, say: Callable[[str], object]) -> None:
    """Create or update the database for a trial, and `say` that this is one. Outside a trial, do nothing.

    Raises CommandError when other machines could reach `host`.
    """
    if not settings.TRIAL:
        return
    if not _is_loopback(host):
        raise CommandError(
            f"SECRET_KEY is not set, so the server does not listen at {host}, where other machines reach it. Set "
            "SECRET_KEY to 50 random characters and ALLOWED_HOSTS to the server's host names, or DEBUG=on to try "
            "things out where you trust everybody on the network."
        )
    call_command("migrate", verbosity=0)
    say("Nothing is configured, so this server is for trying things out on this machine only: DEBUG is on.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
