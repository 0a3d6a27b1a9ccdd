"""What stands behind a reference is hidden wherever an observation says it, and nothing else is lost."""

from base64 import b64encode
from dataclasses import fields

from tminus.domain.evidence import Observation
from tminus.wiring.curtain import Curtain

SECRET = "https://reader:correct-horse@metrics.example"


def test_every_part_of_an_observation_is_told_with_the_reference_in_the_place_of_the_value() -> None:
    curtain = Curtain()
    curtain.draw("env:PROMETHEUS", SECRET)
    said = f"asked {SECRET}"
    shown = curtain.observation(Observation([said], {said: said}, {said: [said]}, (said,), said, said))
    hidden = "asked env:PROMETHEUS"
    assert shown == Observation([hidden], {hidden: hidden}, {hidden: [hidden]}, (hidden,), hidden, hidden)
    assert len(fields(Observation)) == 6, "a new part is to be hidden too"


def test_what_holds_no_secret_is_kept_as_it_is() -> None:
    seen = Observation(0.25, {"rows": 5}, {"table": "ledger"}, ("one remark",), "restored 5 rows")
    assert Curtain().observation(seen) == seen


def test_the_login_of_an_address_is_hidden_as_http_basic_has_it_too() -> None:
    curtain = Curtain()
    curtain.draw("env:PROMETHEUS", SECRET)
    basic = b64encode(b"reader:correct-horse").decode()
    assert curtain.text(f"said Basic {basic}") == "said Basic env:PROMETHEUS"
