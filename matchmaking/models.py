"""What the admin has a section and permissions for, though it is kept in Valkey: no table stands behind it."""

from typing import ClassVar

from django.db import models


class RandomCall(models.Model):
    """A call between two strangers, by the user who asked."""

    user = models.CharField(max_length=64, primary_key=True)

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions: ClassVar = [("withdraw_user", "Can take a user out of the pool")]

    def __str__(self) -> str:
        return self.user
