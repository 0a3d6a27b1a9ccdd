import json
from pathlib import Path

import pytest

from tminus.domain.traffic import Side
from tminus.errors import PartError, RolloutError, UnreachableError
from tminus.haproxy import Desired, DesiredState, Runtime, Weights, desired_state
from tminus.releases import Releases
from tminus.targets.local import LocalTarget


@pytest.fixture
def state(tmp_path: Path) -> DesiredState:
    return desired_state(tmp_path)


class Proxy(Runtime):
    """A proxy that takes weights, or dies when it is told one."""

    def __init__(self, state: DesiredState, dies: Exception | None) -> None:
        super().__init__(Path("nowhere"))
        self.known_before: Desired | None = None
        self._state, self._dies = state, dies

    async def set_weights(self, blue: int, green: int) -> Weights:
        self.known_before = self._state.read()
        if self._dies is not None:
            raise self._dies
        return Weights(blue, green)


def target(folder: Path, proxy: Proxy) -> LocalTarget:
    return LocalTarget(folder, Releases(folder, folder, {}), proxy, {Side.BLUE: 1, Side.GREEN: 2})


def test_before_the_first_time_nothing_is_known(state: DesiredState) -> None:
    assert state.read() is None


def test_what_is_wanted_outlives_the_one_who_wants_it(state: DesiredState, tmp_path: Path) -> None:
    state.admit(Side.BLUE, 8001)
    state.admit(Side.GREEN, 8002)
    state.confirm(25)
    assert desired_state(tmp_path).read() == Desired(25, {Side.BLUE: 8001, Side.GREEN: 8002})
    state.withdraw(Side.BLUE)
    assert state.read() == Desired(25, {Side.GREEN: 8002})


def test_lowering_never_raises(state: DesiredState) -> None:
    state.confirm(10)
    state.lower(50)
    assert state.read() == Desired(10)
    state.lower(0)
    assert state.read() == Desired(0)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"percent": 5}', json.dumps({"percent": 5, "ports": {"red": 1}})]
)
def test_a_file_that_says_nothing_is_an_error_and_no_guess(tmp_path: Path, text: str) -> None:
    (tmp_path / "state").write_text(text)
    with pytest.raises(PartError, match="does not say") as caught:
        DesiredState(tmp_path / "state").read()
    assert "by hand" in caught.value.hint


@pytest.mark.parametrize(
    ("before", "wanted", "kept"),
    [(10, 50, 10), (50, 0, 0), (50, 10, 10), (100, 0, 0)],
)
@pytest.mark.parametrize("error", [UnreachableError("gone", hint="look"), RolloutError("no", hint="look")])
async def test_a_proxy_that_dies_as_it_is_told_begins_again_with_the_smaller_share_on_green(
    state: DesiredState, tmp_path: Path, before: int, wanted: int, kept: int, error: Exception
) -> None:
    state.confirm(before)
    with pytest.raises(type(error)):
        await target(tmp_path, Proxy(state, error)).set_weight(wanted)
    assert state.read() == Desired(kept)


async def test_a_larger_share_is_kept_once_it_is_read_back(state: DesiredState, tmp_path: Path) -> None:
    state.confirm(10)
    proxy = Proxy(state, None)
    assert await target(tmp_path, proxy).set_weight(50) == 50
    assert proxy.known_before == Desired(10)
    assert state.read() == Desired(50)
