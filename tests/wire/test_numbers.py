"""Numbers that a browser cannot read: JavaScript takes what is beyond the largest double for Infinity."""

import pytest

from tests.conftest import MakeTab

TOO_LARGE = {
    "2e308 in digits": "2" + "0" * 308,
    "minus 2e308 in digits": "-2" + "0" * 308,
    "all nines": "9" * 309,
    "a digit more": "1" + "0" * 309,
    "thousands of digits": "7" * 5000,
    "in a list": f"[1,[2,{'3' * 309}]]",
    "in an object": f'{{"x":{{"y":-{"3" * 309}}}}}',
    "with a point": "2" + "0" * 308 + ".0",
    "half of it in the exponent": "2" + "0" * 154 + "e154",
}
LARGEST = {
    "1e308 in digits": "1" + "0" * 308,
    "minus 1e308 in digits": "-1" + "0" * 308,
    "308 nines": "9" * 308,
    "the largest double": "1.7976931348623157e308",
    "digits in a text": '"' + "9" * 400 + '"',
    "digits behind the point": "0." + "1" * 400,
}


@pytest.mark.parametrize("number", TOO_LARGE.values(), ids=TOO_LARGE)
async def test_a_number_that_is_infinity_to_a_browser_is_refused_and_reaches_nobody(tab: MakeTab, number: str) -> None:
    async with tab("ana", room="attic") as ana, tab("eve", room="attic") as eve:
        payload = f'{{"content":"hello","x":{number}}}'
        await eve.sends_text(f'{{"type":"chat_message","room":"attic","payload":{payload}}}')
        assert (await eve.hears("error_response"))["payload"]["code"] == "malformed"
        await ana.hears_nothing()


@pytest.mark.parametrize("number", LARGEST.values(), ids=LARGEST)
async def test_a_number_that_a_browser_can_read_is_passed_on(tab: MakeTab, number: str) -> None:
    async with tab("ana", room="attic") as ana:
        payload = f'{{"content":"hello","x":{number}}}'
        await ana.sends_text(f'{{"type":"chat_message","room":"attic","payload":{payload}}}')
        assert (await ana.hears("chat_message"))["payload"]["content"] == "hello"
