"""Who may read `/metrics`."""

import json

import pytest
from pytest_django import Settings

from aleatoria import environment
from tests.conftest import MakeTab
from tests.support.metrics import At


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_may_read_it(tab: MakeTab, address: str) -> None:
    assert (await At(address).asks()).status_code == 200


@pytest.mark.parametrize(
    "address",
    ["10.0.0.7", "203.0.113.7", "128.0.0.1", "0.0.0.0", "::", "::ffff:203.0.113.7", "fe80::1%eth0", "2001:db8::1"],
)
async def test_nobody_else_may(tab: MakeTab, address: str) -> None:
    response = await At(address).asks()
    assert response.status_code == 403
    assert json.loads(response.content)["code"] == "forbidden"
    assert b"aleatoria_" not in response.content


@pytest.mark.parametrize("address", ["", "/run/aleatoria.sock", "localhost", "127.0.0.1.example.com"])
async def test_what_is_no_address_is_not_this_machine(tab: MakeTab, address: str) -> None:
    assert (await At(address).asks()).status_code == 403


async def test_nor_is_one_without_any_address(tab: MakeTab) -> None:
    assert (await At(None).asks()).status_code == 403


@pytest.mark.parametrize("header", ["x_forwarded_for", "forwarded", "x_real_ip"])
@pytest.mark.parametrize("value", ["127.0.0.1", "for=127.0.0.1", "10.0.0.7", ""])
async def test_nobody_may_through_a_proxy(tab: MakeTab, header: str, value: str) -> None:
    assert (await At().asks(**{header: value})).status_code == 403


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("10.1.2.3", 200),
        ("::ffff:10.1.2.3", 200),
        ("2001:db8::7", 200),
        ("192.0.2.1", 200),
        ("192.0.2.2", 403),
        ("11.0.0.1", 403),
        ("2001:db9::7", 403),
        ("127.0.0.1", 403),
    ],
)
async def test_those_of_the_networks_that_are_named_may(
    tab: MakeTab, settings: Settings, address: str, status: int
) -> None:
    settings.METRICS_ALLOWED_IPS = environment.networks("10.0.0.0/8, 2001:db8::/32, 192.0.2.1")
    assert (await At(address).asks()).status_code == status
    assert (await At(address).asks(x_forwarded_for="10.0.0.1")).status_code == 403


async def test_it_is_only_read(tab: MakeTab) -> None:
    assert (await At().post("/metrics")).status_code == 405
