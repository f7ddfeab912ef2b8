"""The model behind the admin's section about Valkey. It has permissions, but no database table."""

from typing import ClassVar

from django.db import models


class ValkeyServer(models.Model):
    """Valkey, and the server processes that use it."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions: ClassVar = [("close_sockets", "Can close a user's sockets")]
        verbose_name = verbose_name_plural = "Valkey"

    def __str__(self) -> str:
        return "Valkey"
