"""A crowd on three server processes, one of which dies. `python -m tests.support.crowd` is the same at full size."""

from pathlib import Path

from tests.support.crowd import Plan, simulate
from tests.support.processes import ValkeyProcess

SOON = {"CALL_LEASE_SECONDS": "4.5", "CALL_HOLD_SECONDS": "3"}


def test_nobody_is_ever_in_two_calls_and_the_dead_are_forgotten(valkey_process: ValkeyProcess, tmp_path: Path) -> None:
    plan = Plan(users=120, processes=3, seed=1, churn=4, right_within=15)
    report = simulate(plan, valkey_process, tmp_path, **SOON)
    assert not report.complaints
    assert report.assigned > plan.users
    assert report.deeds["timeout"]
