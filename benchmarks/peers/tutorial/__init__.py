"""The chat of the Channels tutorial."""
