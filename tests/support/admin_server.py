"""The admin of servers in processes of their own, as an operator with a browser uses it."""

import http.client
import sqlite3
import subprocess
import sys
from http.cookies import SimpleCookie
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from aleatoria.valkey.address import Address
from tests.support.processes import PATIENCE, ServerProcess
from tests.support.repository import ROOT


class Answer(NamedTuple):
    """A response of a server."""

    status: int
    location: str
    html: str


class Prepared(NamedTuple):
    """A database with the superuser olga."""

    directory: Path
    session: str
    """The key of a session of olga."""

    def server(self, name: str, address: Address, **environment: str) -> ServerProcess:
        """Return a server that uses this database."""
        where = {"VALKEY_HOST": address.host, "VALKEY_PORT": str(address.port), "DATA_DIR": str(self.directory)}
        return ServerProcess(self.directory / name, **(where | environment))

    def noted(self) -> list[str]:
        """Return what the admin's history says was done."""
        database = sqlite3.connect(f"file:{self.directory / 'aleatoria.sqlite3'}?mode=ro", uri=True)
        try:
            return [says for (says,) in database.execute("select change_message from django_admin_log order by id")]
        finally:
            database.close()


PASSWORD = "correct horse battery"
_PREPARE = f"""
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
client = Client()
client.force_login(User.objects.create_superuser("olga", password="{PASSWORD}"))
print(client.session.session_key)
"""


def prepare(directory: Path) -> Prepared:
    """Create a database in this directory."""
    environment = ServerProcess(directory, DATA_DIR=str(directory)).environment
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", _PREPARE]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return Prepared(directory, ran.stdout.split()[-1])


class Operator:
    """A client of a server's admin, logged in as olga."""

    def __init__(self, server: ServerProcess, session: str) -> None:
        self._server = server
        self._cookies = SimpleCookie({"sessionid": session, "csrftoken": "t" * 32})

    def get(self, path: str) -> Answer:
        """Request a page."""
        return self._ask("GET", path)

    def post(self, path: str, **fields: str) -> Answer:
        """Submit a form."""
        return self._ask("POST", path, urlencode(fields | {"csrfmiddlewaretoken": self._cookies["csrftoken"].value}))

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=PATIENCE)
        headers = {"Cookie": "; ".join(f"{name}={morsel.coded_value}" for name, morsel in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            for cookie in response.headers.get_all("Set-Cookie", []):
                self._cookies.load(cookie)
            return Answer(response.status, response.headers.get("Location", ""), response.read().decode())
        finally:
            connection.close()
