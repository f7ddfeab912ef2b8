"""Rooms, people and conversations as they are in Valkey: blocking, read-only, for the admin and the commands."""
