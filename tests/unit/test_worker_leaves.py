"""What a worker says of a launch that it cannot run on."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tminus.control.ports import Engine
from tminus.errors import PartError
from tminus.wiring.working import Worker, Yard


class Said:
    """A journal that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, launch: str, words: str) -> None:
        self.lines.append(f"{launch}: {words}")

    def tell(self, launch: str, event: object) -> None:
        raise AssertionError((launch, event))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PartError("no answer", hint="ask again"), "is left by an error: no answer; ask again"),
        (
            KeyError("secret"),
            (
                "is left by a defect of tminus, KeyError in meets (test_worker_leaves.py:{line}); "
                "report it with this worker's log"
            ),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_whatever_ends_a_launch_s_run_stands_in_the_log_and_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    said = Said()
    worker = Worker(Yard(f"sqlite:///{tmp_path / 'db'}", tmp_path, {}, tmp_path / "trust.json"), said)

    async def meets(*_: Any) -> None:
        raise error

    monkeypatch.setattr(worker, "_run", meets)
    with pytest.raises(type(error)):
        await worker._body(cast("Engine", SimpleNamespace()), "a")
    line = meets.__code__.co_firstlineno + 1
    assert said.lines == ["a: is taken", f"a: {words.format(line=line)}"]
    assert "secret" not in " ".join(said.lines)
    worker._database.dispose()
