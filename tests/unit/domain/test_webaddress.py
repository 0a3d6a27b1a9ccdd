"""What is wrong with an address, without a word of what stands in it."""

import pytest

from tminus.domain.webaddress import no_web, unreachable

LOGIN, PORT, BLANK, HTTP = "has a login that ends", "has a port that", "has a blank", "is no http address"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("https://prom.example:9090", ""),
        ("HTTPS://prom.example", ""),
        ("https://[::1]:9090/x", ""),
        ("https://u:p%2Fw@prom.example:9090/a@b", ""),
        ("https://prom.example:9090x", PORT),
        ("https://prom.example:99999/a", PORT),
        ("https://prom.example:0", PORT),
        ("https://u:SECRET/x@prom.example", LOGIN),
        ("https://u:SECRET#x@prom.example", LOGIN),
        ("https://u:SECRET?x@prom.example", LOGIN),
        ("https://:SECRET/x@prom.example", LOGIN),
        ("https://graf ana.example", BLANK),
        ("https://", HTTP),
        ("prom.example:9090", HTTP),
        ("ftp://prom.example", HTTP),
    ],
)
def test_a_web_address_that_reaches_nobody_is_told(text: str, said: str) -> None:
    found = no_web(text)
    assert found.startswith(said)
    assert bool(found) is bool(said)
    assert "SECRET" not in found


@pytest.mark.parametrize(
    "text", ["redis://localhost:6379/0", "postgresql:///depot", "journal:", "in-cluster"]
)
def test_another_address_is_judged_by_its_port_alone(text: str) -> None:
    assert unreachable(text) == ""
    assert unreachable("redis://localhost:99999/x").startswith(PORT)
