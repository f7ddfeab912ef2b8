"""What the admin's page about Valkey shows of random calls."""

from aleatoria.operators.panels import Column, Panels

MATCHES = "matches"
"""The total that counts pairs."""
PANELS = Panels(columns=[Column("Pairs for a call", MATCHES)])
