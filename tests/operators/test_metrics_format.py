"""What `/metrics` looks like."""

import re

from tests.conftest import MakeTab
from tests.support.metrics import At, families

FAMILIES = {
    "aleatoria_calls": "gauge",
    "aleatoria_connections": "counter",
    "aleatoria_degraded": "gauge",
    "aleatoria_deliveries": "counter",
    "aleatoria_delivery_seconds": "histogram",
    "aleatoria_frames_received": "counter",
    "aleatoria_handler_failures": "counter",
    "aleatoria_hangups": "counter",
    "aleatoria_history_reads": "counter",
    "aleatoria_malformed_frames": "counter",
    "aleatoria_match_wait_seconds": "histogram",
    "aleatoria_matches": "counter",
    "aleatoria_messages": "counter",
    "aleatoria_messages_not_kept": "counter",
    "aleatoria_pipeline_batch_commands": "histogram",
    "aleatoria_pool_users": "gauge",
    "aleatoria_refusals": "counter",
    "aleatoria_rooms": "gauge",
    "aleatoria_signals": "counter",
    "aleatoria_sockets": "gauge",
    "aleatoria_sockets_cut": "counter",
    "aleatoria_users": "gauge",
    "aleatoria_valkey_errors": "counter",
    "aleatoria_valkey_outages": "counter",
    "aleatoria_valkey_round_trip_seconds": "histogram",
    "aleatoria_writes_dropped": "counter",
}
"""The type of every metric, by its name without `_total`."""


async def test_prometheus_reads_all_of_it(tab: MakeTab) -> None:
    response = await At().asks()
    assert response.status_code == 200
    assert re.fullmatch(r"text/plain; version=[\d.]+; charset=utf-8", response["Content-Type"])
    found = {family.name: family.type for family in families(response.content.decode())}
    assert {name: kind for name, kind in found.items() if not name.startswith("process_")} == FAMILIES
    assert {"process_cpu_seconds", "process_resident_memory_bytes", "process_open_fds"} <= set(found)


async def test_names_are_as_prometheus_wants_them(tab: MakeTab) -> None:
    for family in families((await At().asks()).content.decode()):
        assert re.fullmatch(r"(aleatoria|process)(_[a-z0-9]+)+", family.name)
        assert family.documentation.endswith(".")
        assert not re.search(
            r"_(ms|milliseconds|micros\w*|minutes|hours|kb|kilobytes|mb|total|count|sum)$", family.name
        )
        for sample in family.samples:
            assert all(re.fullmatch(r"[a-z_]+", label) for label in sample.labels)
            if family.type == "counter":
                assert sample.name == f"{family.name}_total"


async def test_a_histogram_ends_with_all_there_is(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("hello")
        await ana.hears("chat_message")
    for family in families((await At().asks()).content.decode()):
        if family.type == "histogram":
            buckets = [sample.value for sample in family.samples if sample.name.endswith("_bucket")]
            assert buckets == sorted(buckets)
            assert [s.value for s in family.samples if s.name.endswith("_count")] == buckets[-1:]


async def test_what_clients_send_is_no_label(tab: MakeTab) -> None:
    async with tab("ana-the-label", room="room-the-label") as ana:
        for kind in ("type-the-label", "join_room", "chat_message", "webrtc_offer"):
            await ana.sends(kind, room="{}", toUser="user-the-label", messageId="id-the-label")
        await ana.heard()
    assert "the-label" not in (await At().asks()).content.decode()
