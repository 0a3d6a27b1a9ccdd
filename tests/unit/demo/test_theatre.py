"""What a stage was playing, as a later start of tminus reads it."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tminus.demo.theatre import RATE, Playbill, Wish, new_playbill

WISH = Wish(
    "good", "2.0.0", "sha256:new", "sha256:old", Path("images"), Path("plan.yaml"), 20000.0, asks=False
)


def stage(folder: Path) -> Any:
    return SimpleNamespace(folder=folder)


def test_a_playbill_is_read_back_as_it_was_written_and_by_its_owner_alone(tmp_path: Path) -> None:
    playbill = new_playbill(WISH)
    playbill.save(stage(tmp_path))
    assert Playbill.load(stage(tmp_path)) == playbill
    assert (tmp_path / "playbill.json").stat().st_mode & 0o777 == 0o600


def test_a_launch_that_goes_on_has_as_many_users_as_were_wished_for(tmp_path: Path) -> None:
    new_playbill(replace(WISH, rate=50.0)).save(stage(tmp_path))
    found = Playbill.load(stage(tmp_path))
    assert found is not None
    assert (found.rate, new_playbill(WISH).rate) == (50.0, RATE)


def test_without_a_playbill_there_is_no_launch_to_go_on_with(tmp_path: Path) -> None:
    assert Playbill.load(stage(tmp_path)) is None


@pytest.mark.parametrize("change", ["cut", "field", "list"])
def test_a_playbill_that_cannot_be_read_is_one_that_cannot_go_on(tmp_path: Path, change: str) -> None:
    fields = asdict(new_playbill(WISH))
    whole = json.dumps(fields)
    texts = {"cut": whole[:-10], "field": whole.replace('"ref"', '"other"'), "list": "[]"}
    (tmp_path / "playbill.json").write_text(texts[change])
    assert Playbill.load(stage(tmp_path)) is None
