"""What a launch of the common database needs later: its plan and what it binds, kept in its order."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.control.opening import Binding
from tminus.errors import PlanError
from tminus.planfile import Loaded, load
from tminus.store.orders import Order
from tminus.wiring.opening import Wanted, _bound, _order, binding_of, plan_of

RELEASE = {"depot": "ab" * 32}
T0 = 1_800_000_000.5


def stored(folder: Path, text: str = small_plan.SMALL) -> Loaded:
    path = folder / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def wanted(found: Loaded) -> Wanted:
    return Wanted(found, "staging", RELEASE, T0)


def test_the_same_wish_is_the_same_launch_and_any_other_is_another(tmp_path: Path) -> None:
    wish = wanted(stored(tmp_path))
    assert wish.named(1) == wanted(stored(tmp_path)).named(1)
    assert wish.named(1).startswith("staging-")
    others = {
        wish.named(2),
        replace(wish, t0=T0 + 1).named(1),
        replace(wish, release={"depot": "cd" * 32}).named(1),
        replace(wish, loaded=stored(tmp_path, small_plan.changed("drain: 20s", "drain: 21s"))).named(1),
    }
    assert wish.named(1) not in others


def test_what_a_launch_binds_is_read_as_it_was_kept() -> None:
    binding = Binding(
        *("a", RELEASE, {"depot": "cd" * 32}, T0, 1.0, ("echo",)),
        asks=False,
        waits=True,
        environment="staging",
    )
    assert binding_of(Order("staging", {}, _bound(binding))) == binding


def test_a_plan_is_kept_whole_and_needs_no_file_of_the_person_who_wrote_it(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(small_plan.SMALL, encoding="utf-8")
    found = stored(tmp_path, "extends: base.yaml\nplan: on top\n")
    binding = Binding("a", RELEASE, {}, T0, 1.0, (), asks=False, waits=True)
    order = _order(wanted(found), binding)
    for file in tmp_path.iterdir():
        file.unlink()
    kept, given = plan_of(order, found.checked().digest), found.checked()
    assert replace(kept, to_fill=()) == replace(given, to_fill=()), "sections in their order too"


def test_a_plan_that_is_read_as_another_now_is_not_run(tmp_path: Path) -> None:
    found = stored(tmp_path)
    order = _order(wanted(found), Binding("a", RELEASE, {}, T0, 1.0, (), asks=False, waits=True))
    with pytest.raises(PlanError, match="was opened") as told:
        plan_of(order, "0" * 64)
    assert "the tminus that opened it" in told.value.hint
