"""What the admin's page about Valkey shows of the chat."""

from aleatoria.operators.panels import Chart, Column, Figures, Panels

SAID = ("messages", "direct messages")
"""The totals that count messages."""
PANELS = Panels(
    charts=[Chart("Messages an hour", SAID)],
    figures=[
        Figures(
            "History requests in the last 24 hours",
            {"Found messages": "histories found", "Empty": "histories empty", "Valkey was away": "histories degraded"},
        )
    ],
    columns=[Column("Messages in rooms", "messages"), Column("Direct messages", "direct messages")],
)
