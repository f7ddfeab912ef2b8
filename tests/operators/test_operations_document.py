"""docs/operations.md, the dashboard and the alerts against the code: they name all there is, and nothing else."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.contrib.admin import site

import aleatoria.asgi  # noqa: F401 # with what it imports it registers every metric
from aleatoria.catalog import RULES, key_families
from aleatoria.operators.console import ConsoleAdmin
from aleatoria.telemetry import metrics
from tests.support.repository import ROOT

DOCUMENT = (ROOT / "docs" / "operations.md").read_text()
DASHBOARD = (ROOT / "deploy" / "grafana" / "aleatoria.json").read_text()
ALERTS = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text()

# Without PyYAML: what the rules may look like is narrower than YAML, and all of it is read.
INDENT = {
    "alert": 6,
    "expr": 8,
    "for": 8,
    "labels": 8,
    "severity": 10,
    "annotations": 8,
    "summary": 10,
    "description": 10,
}
LINE = re.compile(r"(?P<indent> +)(?:- )?(?P<key>[a-z]+):(?: (?P<value>\S.*))?")


class Family(NamedTuple):
    """A metric of ours, called as in /metrics, there followed by what its type adds."""

    name: str
    type: str
    samples: frozenset[str]


def families() -> list[Family]:
    """Everything this process counts; not what the client library says of it, which is not there on every system."""
    found = []
    for family in metrics._registry.collect():
        if family.name.startswith("aleatoria_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            found.append(Family(name, family.type, frozenset(sample.name for sample in family.samples)))
    return found


def commands() -> list[str]:
    """The names of our commands."""
    files = ROOT.glob("*/management/commands/*.py")
    return sorted(file.stem for file in files if file.stem != "__init__")


def samples() -> set[str]:
    """Every name in /metrics."""
    return {name for family in families() for name in family.samples}


def named_in(text: str) -> set[str]:
    """The metrics of ours that PromQL expressions name."""
    return set(re.findall(r"\baleatoria_[a-z_]+", text))


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    found: dict[str, Any] = json.loads(DASHBOARD)
    return found


def panels() -> list[dict[str, Any]]:
    """All panels of the dashboard, also those in rows that are folded up."""
    found: list[dict[str, Any]] = []
    for panel in dashboard()["panels"]:
        found += [panel, *panel.get("panels", [])]
    return found


def charts() -> list[dict[str, Any]]:
    """The panels that show something."""
    return [panel for panel in panels() if panel["type"] != "row"]


def expressions() -> list[str]:
    """What the panels ask Prometheus."""
    return [target["expr"] for panel in charts() for target in panel["targets"]]


def alerts(text: str) -> Iterator[dict[str, str]]:
    """The rules, each with its fields; AssertionError where a line is none that is allowed."""
    head, _, rules = text.partition("\n    rules:\n")
    assert re.sub("#.*\n", "", head) == "groups:\n  - name: aleatoria"
    rule: dict[str, str] = {}
    folded = ""
    for line in rules.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if folded and line.startswith(" " * (INDENT[folded] + 2)):
            rule[folded] = f"{rule[folded]} {line.strip()}".strip()
            continue
        read = LINE.fullmatch(line)
        assert read is not None, line
        key, value = read["key"], read["value"] or ""
        assert len(read["indent"]) == INDENT[key], line
        assert line.lstrip().startswith("- ") == (key == "alert"), line
        if key == "alert" and rule:
            yield rule
            rule = {}
        assert key not in rule, line
        folded = key if value == ">-" else ""
        rule[key] = "" if folded else _scalar(value)
    yield rule


def _scalar(value: str) -> str:
    if value.startswith('"'):
        text: str = json.loads(value)
        return text
    # What YAML would read as something else than this text.
    assert not re.search(r"^[\[\]{},&*!|>%@`'#?-]|: | #|:$", value), value
    return value


def test_every_metric_has_a_row_in_the_document_with_its_type() -> None:
    rows = re.findall(r"^\| `(aleatoria_[a-z_]+)` \| ([a-z]+) \|", DOCUMENT, re.MULTILINE)
    assert sorted(rows) == sorted((family.name, family.type) for family in families())
    assert len(rows) > 20


def test_the_document_names_no_metric_that_is_not() -> None:
    known = samples() | {family.name for family in families()}
    assert {name for name in re.findall(r"`(aleatoria_[a-z_]+)[`{]", DOCUMENT) if name not in known} <= {
        "aleatoria_guest"
    }


def test_every_family_of_keys_is_in_the_document_with_its_type() -> None:
    types = {"zset": "sorted set"}
    assert len(key_families()) > 10
    for kind in key_families():
        row = rf"^\| `{re.escape(kind.prefix)}[^`]*` \| {types.get(kind.type, kind.type)} \|"
        assert re.search(row, DOCUMENT, re.MULTILINE), kind.prefix


def test_every_command_has_a_row_in_the_document() -> None:
    assert {"serve", "audit", "inspect_rooms", "inspect_pool"} <= set(commands())
    assert [name for name in commands() if f"| `manage.py {name}` |" not in DOCUMENT] == []


def test_every_rule_of_the_audit_has_a_row_in_the_document() -> None:
    assert [rule for rule in RULES if f"| `{rule}` |" not in DOCUMENT] == []


def test_every_permission_of_the_admin_has_a_row_in_the_document() -> None:
    sections = [model._meta for model, section in site._registry.items() if isinstance(section, ConsoleAdmin)]
    assert len(sections) > 2
    permissions = [
        f"{meta.app_label}.{codename}"
        for meta in sections
        for codename in (f"view_{meta.model_name}", *(codename for codename, _ in meta.permissions))
    ]
    rows = set(re.findall(r"^\|.* `([a-z]+\.[a-z_]+)` \|", DOCUMENT, re.MULTILINE))
    assert [permission for permission in permissions if permission not in rows] == []


def test_links_within_the_document_lead_somewhere() -> None:
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", DOCUMENT, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    places = {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", DOCUMENT)) <= places


def test_links_to_other_files_lead_somewhere() -> None:
    files = {link.partition("#")[0] for link in re.findall(r"\]\(([^)#][^)]*)\)", DOCUMENT)}
    assert [file for file in files if not (ROOT / "docs" / file).exists()] == []


def test_the_dashboard_asks_for_metrics_that_are() -> None:
    asked = named_in(" ".join(expressions()))
    assert len(asked) > 20
    assert asked <= samples()


def test_the_dashboard_shows_every_metric_of_ours() -> None:
    asked = named_in(" ".join(expressions()))
    assert [family.name for family in families() if not family.samples & asked] == []


def test_every_panel_has_an_id_of_its_own_a_title_and_something_to_show() -> None:
    assert set(Counter(panel["id"] for panel in panels()).values()) == {1}
    assert all(panel["title"] for panel in panels())
    assert all(target["expr"] for panel in charts() for target in panel["targets"])
    assert all(panel["targets"] for panel in charts())


def test_the_dashboard_can_be_imported_anywhere() -> None:
    assert dashboard()["schemaVersion"] >= 39
    assert dashboard()["id"] is None
    variables = {variable["name"]: variable for variable in dashboard()["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    sources = re.findall(r'"datasource": \{\s*"type": "([^"]*)",\s*"uid": "([^"]*)"', DASHBOARD)
    assert set(sources) == {("prometheus", "${datasource}")}


def test_gauges_that_every_process_gives_of_all_are_not_added_up() -> None:
    for expression in [*expressions(), *(alert["expr"] for alert in alerts(ALERTS))]:
        for shared in ("aleatoria_pool_users", "aleatoria_calls"):
            if shared in expression:
                assert re.search(rf"max \({shared}\b", expression), expression


def test_the_alerts_ask_for_metrics_that_are() -> None:
    asked = named_in(" ".join(alert["expr"] for alert in alerts(ALERTS)))
    assert len(asked) > 10
    assert asked <= samples()


def test_every_alert_says_when_how_bad_and_what_to_do() -> None:
    found = list(alerts(ALERTS))
    assert len({alert["alert"] for alert in found}) == len(found) > 10
    for alert in found:
        assert alert.keys() == INDENT.keys(), alert
        assert re.fullmatch(r"\d+[mh]", alert["for"])
        assert alert["severity"] in ("critical", "warning")
        assert len(alert["description"]) > 80
        assert len(alert["summary"]) > 10


def test_the_metrics_and_alerts_that_alerts_tell_people_of_are() -> None:
    said = " ".join(f"{alert['summary']} {alert['description']}" for alert in alerts(ALERTS))
    names = named_in(said)
    assert names <= samples() | {family.name for family in families()}
    assert set(re.findall(r"\bAleatoria[A-Z]\w+", said)) <= {alert["alert"] for alert in alerts(ALERTS)}


@pytest.mark.parametrize(
    "wrong",
    [
        "      - alert: One\n      - alert: Two: three",
        "      - alert: One\n       expr: up",
        "      - alert: One\n        expr: up\n        expr: down",
        "      - alert: One\n        expr: {up}",
        "      - alert: One\n        tabs\t: up",
    ],
)
def test_alerts_that_are_written_wrongly_are_not_read(wrong: str) -> None:
    with pytest.raises(AssertionError):
        list(alerts(f"groups:\n  - name: aleatoria\n    rules:\n{wrong}\n"))
