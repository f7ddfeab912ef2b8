"""What the apps declare for operators is gathered in one place, whatever else has been imported."""

import subprocess
import sys

import aleatoria.asgi  # noqa: F401 # with what it imports it declares every family of keys that the server uses
from aleatoria.catalog import PANELS, RULES, key_families
from aleatoria.valkey import keys
from tests.support.processes import PATIENCE
from tests.support.repository import ROOT


def test_every_family_of_keys_that_is_declared_is_listed_once() -> None:
    listed = [family.prefix for family in key_families()]
    assert sorted(listed) == sorted(kind.prefix for kind in keys.kinds)
    assert "user:read:" in listed


def test_every_family_is_known_where_the_admin_is_not_imported() -> None:
    script = "import sys; from aleatoria.catalog import key_families as found; " + (
        "print(*(one.prefix for one in found()), 'aleatoria.admin' in sys.modules, 'chat.admin' in sys.modules)"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "DEBUG": "on"}
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert ran.stdout.split() == [*(family.prefix for family in key_families()), "False", "False"]


def test_the_rules_of_the_kernel_and_of_each_app_are_checked() -> None:
    assert list(RULES) == ["type", "expiry", "membership", "room line", "direct line", "retention", "calls", "pool"]


def test_the_columns_of_the_page_about_valkey_stand_in_this_order() -> None:
    headings = [column.heading for column in PANELS.columns]
    assert headings == ["Messages in rooms", "Direct messages", "Pairs for a call", "Connections"]
