"""The model behind the admin's section about random calls. It has permissions, but no database table."""

from typing import ClassVar

from django.db import models


class RandomCall(models.Model):
    """A call of two strangers, identified by the user who requested it. Its data is in Valkey."""

    user = models.CharField(max_length=64, primary_key=True)

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions: ClassVar = [("withdraw_user", "Can take a user out of the pool")]

    def __str__(self) -> str:
        return self.user
