"""What opens a system, in every form in which an answer could repeat it."""

import asyncio
from base64 import b64encode

import aiohttp
import pytest

from tminus.credentials import forms, without
from tminus.http import led_to


def basic(login: str) -> str:
    return b64encode(login.encode()).decode()


@pytest.mark.parametrize(
    ("address", "secrets"),
    [
        ("https://user:secret1@host", ["user:secret1", "secret1", basic("user:secret1")]),
        ("https://:secret1@host", ["secret1", basic(":secret1")]),
        ("https://secret1:@host", ["secret1", basic("secret1:")]),
        ("https://secret1@host", ["secret1", basic("secret1:")]),
        ("https://user:p%C3%A4ss@host", ["päss", "p%C3%A4ss", basic("user:päss")]),
        ("https://host/x?token=secret1&b=2", ["token=secret1&b=2", "secret1"]),
    ],
)
def test_what_an_address_holds_is_taken_out(address: str, secrets: list[str]) -> None:
    hidden = forms(address=address)
    for secret in secrets:
        assert secret in hidden
        assert without(f"you said {secret}!", hidden) == "you said …!"


@pytest.mark.parametrize(
    ("shown", "secret"),
    [
        ("Bearer secret1", "secret1"),
        ("Token token=secret1", "secret1"),
        (f"Basic {basic('user:secret1')}", "secret1"),
        (f"Basic {basic('secret1:')}", "secret1"),
        ("secret1", "secret1"),
    ],
)
def test_what_a_header_holds_is_taken_out(shown: str, secret: str) -> None:
    hidden = forms(headers={"authorization": shown, "Accept": "application/json"})
    assert secret in hidden
    assert shown.partition(" ")[2] in {*hidden, ""}
    assert "application/json" not in hidden


def test_what_is_too_short_to_be_told_from_words_stays() -> None:
    assert without("a b", {"a"}) == "a b"


@pytest.mark.parametrize(
    "base",
    ["http://127.0.0.1:1", "http://[0:0:0:0:0:0:0:1]:1", "http://localhost:1"],
)
def test_an_address_that_is_not_reached_leads_to_nobody(base: str) -> None:
    async def ask() -> BaseException | None:
        async with aiohttp.ClientSession() as session:
            try:
                await session.get(base)
            except aiohttp.ClientConnectorError as error:
                return error
        return None

    error = asyncio.run(ask())
    assert error is not None
    assert led_to(error, base) == ""
    assert led_to(error, "http://other.example") != ""


def test_a_proxy_that_is_not_reached_leads_to_nobody() -> None:
    async def ask() -> BaseException | None:
        async with aiohttp.ClientSession() as session:
            try:
                await session.get("http://cluster.example", proxy="http://127.0.0.1:1")
            except aiohttp.ClientProxyConnectionError as error:
                return error
        return None

    error = asyncio.run(ask())
    assert error is not None
    assert led_to(error, "http://cluster.example") == ""
