"""The model behind the admin's section about rooms. It has permissions, but no database table."""

from typing import ClassVar

from django.db import models


class Room(models.Model):
    """A room, identified by its name. Its data is in Valkey."""

    name = models.CharField(max_length=64, primary_key=True)

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("clear_room", "Can clear a room's history"),
            ("remove_member", "Can remove a member from a room"),
            ("read_messages", "Can read what was said in a room"),
        ]

    def __str__(self) -> str:
        return self.name
