"""`manage.py audit`: does what must always hold hold?"""

import argparse
import sys

import msgspec
import redis

import aleatoria.operators.audit
import chat.audit
import matchmaking.audit
from aleatoria.operators.audit import Rule
from aleatoria.operators.commands import ValkeyCommand

RULES: dict[str, Rule] = {**aleatoria.operators.audit.RULES, **chat.audit.RULES, **matchmaking.audit.RULES}


class Finding(msgspec.Struct, frozen=True):
    """A breach, and what has become of it."""

    rule: str
    key: str
    says: str
    repaired: bool


class Command(ValkeyCommand):
    """Audit."""

    help = (
        "Check what must always hold of the keys in Valkey, and name each breach. "
        "Exits with 0 when there is none that is left, else with 1. Safe while servers run."
    )
    examples = ("audit", "audit --repair", "audit --json")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--repair", action="store_true", help="mend what can be mended")

    def look(self, client: redis.Redis, *, repair: bool, json: bool, **options: object) -> None:
        found = [finding for name, rule in RULES.items() for finding in _findings(client, name, rule, repair=repair)]
        if json:
            self.show_json(found)
        else:
            self._tell(found)
        if not all(finding.repaired for finding in found):
            sys.exit(1)

    def _tell(self, found: list[Finding]) -> None:
        for finding in found:
            self.say(f"{finding.rule}: {finding.key} {finding.says}{' (repaired)' if finding.repaired else ''}")
        left = sum(not finding.repaired for finding in found)
        if not found:
            self.say(f"All is well: {len(RULES)} rules hold.")
        elif left:
            self.say(f"{left} breaches. `manage.py audit --repair` mends what can be mended.")
        else:
            self.say(f"{len(found)} breaches, all repaired.")


def _findings(client: redis.Redis, name: str, rule: Rule, *, repair: bool) -> list[Finding]:
    findings = []
    for breach in list(rule(client)):
        repaired = repair and breach.repair is not None
        if repaired and breach.repair is not None:
            breach.repair()
        findings.append(Finding(name, breach.key, breach.says, repaired))
    return findings
