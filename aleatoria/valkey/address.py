"""Where a Valkey is: the configured one, the one on this machine, or one of our own."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import redis
from django.conf import settings
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry as BlockingRetry

# The deadlines of the original server.
CONNECT_DEADLINE = 5.0
READ_DEADLINE = 3.0
LOOK_FOR = 0.5
"""Seconds in which a Valkey on this machine has to answer."""
# A Unix socket's path may have 107 bytes on Linux, 103 on macOS.
_SOCKET_PATH_MAX = 103


class Address(NamedTuple):
    """Where a Valkey is and how to get in."""

    host: str = "localhost"
    port: int = 6379
    unix_socket: str = ""
    username: str = ""
    password: str = ""
    tls: bool = False
    db: int = 0

    @classmethod
    def configured(cls) -> "Address":
        """What the settings say."""
        return cls(
            settings.VALKEY_HOST,
            settings.VALKEY_PORT,
            username=settings.VALKEY_USERNAME,
            password=settings.VALKEY_PASSWORD,
            tls=settings.VALKEY_USE_TLS,
            db=settings.REDIS_DB,
        )

    def __str__(self) -> str:
        return self.unix_socket or f"{self.host}:{self.port}"

    def connection(self) -> AbstractConnection:
        """A connection yet to be made, with the original server's deadlines and without redis-py's own retries."""
        kind: type[AbstractConnection] = SSLConnection if self.tls else Connection
        where: dict[str, Any] = {"host": self.host, "port": self.port}
        if self.unix_socket:
            kind, where = UnixDomainSocketConnection, {"path": self.unix_socket}
        return kind(
            username=self.username or None,
            password=self.password or None,
            db=self.db,
            protocol=2,
            socket_timeout=READ_DEADLINE,
            socket_connect_timeout=CONNECT_DEADLINE,
            retry=Retry(NoBackoff(), 0),
            **where,
        )

    def client(self, *, answer_within: float = READ_DEADLINE) -> redis.Redis:
        """A blocking client for commands and the admin; never for the live path."""
        return redis.Redis(
            host=self.host,
            port=self.port,
            unix_socket_path=self.unix_socket or None,
            username=self.username or None,
            password=self.password or None,
            ssl=self.tls,
            db=self.db,
            protocol=2,
            socket_timeout=answer_within,
            socket_connect_timeout=answer_within,
            retry=BlockingRetry(NoBackoff(), 0),
        )

    def answers(self, within: float) -> bool:
        """Whether anything there answers and lets us in."""
        with self.client(answer_within=within) as client:
            try:
                client.ping()
            except RedisError:
                return False
        return True


def embedded_address(directory: Path) -> Address:
    """Where the Valkey of our own with its data in `directory` listens: a socket that only its user can open."""
    path = directory / "valkey.sock"
    if len(os.fsencode(path)) > _SOCKET_PATH_MAX:
        digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"aleatoria-{os.getuid()}-{digest}" / "valkey.sock"
    return Address(unix_socket=str(path))


def find() -> Address:
    """The Valkey that a server of this installation uses: the configured one, the one on this machine, else its own."""
    configured = Address.configured()
    embedded = embedded_address(settings.DATA_DIR / "valkey")
    if settings.VALKEY_CONFIGURED or configured.answers(LOOK_FOR) or not Path(embedded.unix_socket).exists():
        return configured
    return embedded
