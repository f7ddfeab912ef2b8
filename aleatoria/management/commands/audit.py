"""`manage.py audit`: check what must always hold of the keys in Valkey."""

import argparse
import sys

import msgspec
import redis

from aleatoria.catalog import RULES
from aleatoria.operators.audit import Rule
from aleatoria.operators.commands import ValkeyCommand


class Finding(msgspec.Struct, frozen=True):
    """A rule that a key breaks, and whether it was repaired."""

    rule: str
    key: str
    says: str
    repaired: bool


class Command(ValkeyCommand):
    """Audit."""

    help = (
        "Check rules that must always hold for the keys in Valkey, and print each breach. "
        "Exits with 0 when no breach is left, else with 1. Safe while servers run."
    )
    examples = ("audit", "audit --repair", "audit --json")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--repair", action="store_true", help="repair what can be repaired")

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
            self.say(f"No breaches. {len(RULES)} rules were checked.")
        elif left:
            self.say(f"Breaches: {left}. `manage.py audit --repair` repairs what can be repaired.")
        else:
            self.say(f"Breaches: {len(found)}. All were repaired.")


def _findings(client: redis.Redis, name: str, rule: Rule, *, repair: bool) -> list[Finding]:
    findings = []
    for breach in list(rule(client)):
        repaired = repair and breach.repair is not None
        if repaired and breach.repair is not None:
            breach.repair()
        findings.append(Finding(name, breach.key, breach.says, repaired))
    return findings
