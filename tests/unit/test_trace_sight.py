"""What the trace of a launch does when the proxy goes away, and when the disk is full."""

import errno
from pathlib import Path
from typing import Self

import pytest

from tminus.domain.trace import read
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.errors import PartError
from tminus.haproxy import Runtime, tracefile
from tminus.haproxy.tracefile import append
from tminus.loopback import free_port
from tminus.targets import trace as trace_module
from tminus.targets.trace import SIGHT_SECONDS, ProxyTrace, _Sight


def outcome(number: int) -> Outcome:
    return Outcome(100.0 + number, Side.GREEN, 200, 5.0, "a", number)


@pytest.fixture
def trace(tmp_path: Path) -> ProxyTrace:
    return ProxyTrace(tmp_path / "trace.jsonl", free_port(), "secret", Runtime(tmp_path / "none"))


def stored(folder: Path) -> list[Outcome | WeightChange]:
    return list(read((folder / "trace.jsonl").read_text().splitlines()))


def test_before_the_proxy_is_heard_nothing_is_a_break() -> None:
    sight = _Sight()
    sight.look(0, connected=False, now=0)
    sight.look(3, connected=False, now=1)
    assert sight.blindness == ""
    sight.look(3, connected=True, now=2)
    assert sight.blindness == ""


def test_a_break_blinds_until_the_log_has_gone_on_for_a_while() -> None:
    sight = _Sight()
    sight.look(1, connected=True, now=0)
    sight.look(1, connected=False, now=1)
    assert "has ended" in sight.blindness
    sight.look(2, connected=True, now=5)
    assert sight.blindness
    for now in (5.2, 5.2 + SIGHT_SECONDS - 0.1):
        sight.look(2, connected=True, now=now)
        assert "just begun again" in sight.blindness
    sight.look(2, connected=True, now=5.2 + SIGHT_SECONDS)
    assert sight.blindness == ""


def test_a_proxy_that_was_away_too_shortly_to_be_missed_is_known_by_its_count() -> None:
    sight = _Sight()
    sight.look(1, connected=True, now=0)
    sight.look(2, connected=True, now=0.2)
    assert sight.blindness


def test_a_second_break_begins_the_wait_anew() -> None:
    sight = _Sight()
    sight.look(1, connected=True, now=0)
    for now, connected in ((1.0, False), (2.0, True), (3.0, False), (3.5, True), (5.0, True)):
        sight.look(1, connected=connected, now=now)
    assert sight.blindness


def test_what_a_full_disk_does_not_take_is_judged_at_once_and_written_later(
    trace: ProxyTrace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: Path, _text: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    trace._keep([outcome(1)])
    with monkeypatch.context() as patched:
        patched.setattr(tracefile, "append", full)
        trace._keep([outcome(2)])
        trace.note_weight(WeightChange(103.5, 50))
        assert trace.blindness() == "the trace cannot be written: No space left on device"
        assert len(trace.items(0)) == 3
        assert stored(tmp_path) == [outcome(1)]
        trace.must_be_writable()
        patched.setattr(trace_module, "PATIENCE_SECONDS", 0.0)
        with pytest.raises(PartError, match=r"nothing could be written .*No space left"):
            trace.must_be_writable()
    trace._keep([])
    trace.must_be_writable()
    assert trace.blindness() == ""
    assert stored(tmp_path) == [outcome(1), outcome(2), WeightChange(103.5, 50)] == trace.items(0)


def test_a_line_of_which_only_a_part_fitted_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "trace"
    append(file, b"whole\n")
    real = Path.open

    class Half:
        def __init__(self, path: Path) -> None:
            self._out = real(path, "ab", buffering=0)
            self._writes = 0

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self._out.close()

        def tell(self) -> int:
            return self._out.tell()

        def truncate(self, size: int) -> int:
            return self._out.truncate(size)

        def write(self, data: memoryview) -> int:
            self._writes += 1
            if self._writes > 1:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self._out.write(data[:3]) or 0

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", lambda path, *_args, **_more: Half(path))
        with pytest.raises(OSError, match="No space"):
            append(file, b"another\n")
    assert file.read_bytes() == b"whole\n"
