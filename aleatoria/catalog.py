"""What the kernel and the apps declare for operators, in the order in which it is shown. An app is added here.

This module is part of the edge: it is the one place at which the admin and the commands learn of every app.
"""

import aleatoria.operators.audit
import aleatoria.operators.panels
import chat.audit
import chat.panels
import chat.store.families
import matchmaking.audit
import matchmaking.panels
import matchmaking.store.pool
from aleatoria.operators import totals
from aleatoria.operators.audit import Rule
from aleatoria.valkey.keys import Kind, kind_of

PANELS = aleatoria.operators.panels.joined(
    [chat.panels.PANELS, matchmaking.panels.PANELS, aleatoria.operators.panels.KERNEL]
)
"""The panels of the admin's page about Valkey."""

RULES: dict[str, Rule] = {**aleatoria.operators.audit.RULES, **chat.audit.RULES, **matchmaking.audit.RULES}
"""The rules of the audit, by name, in the order in which they are checked."""

_PREFIXES = (*chat.store.families.FAMILIES, *matchmaking.store.pool.KEYS, *totals.FAMILIES)


def key_families() -> list[Kind]:
    """Return every family of keys that the kernel and the apps keep in Valkey."""
    return [family for prefix in _PREFIXES if (family := kind_of(prefix))]
