"""The verifier of a worker: the code of `tminus verify`, and the trust root of its own machine as it is now."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.whole_records import KINDS
else:
    from whole_records import KINDS

from tminus.domain.record import Event, decode
from tminus.domain.trust import TrustRoot
from tminus.errors import PlanError, RecordError, RefusedError
from tminus.signing import save_trust
from tminus.wiring.proving import OwnTrust

WHOLE = KINDS["people"]()


def under_way() -> list[Event]:
    """The record up to its end, which a launch under way has not reached."""
    lines = WHOLE.content.splitlines(keepends=True)
    return [decode(number, line) for number, line in enumerate(lines[:-2], 1)]


async def test_a_record_is_believed_by_the_keys_of_the_file(tmp_path: Path) -> None:
    place = tmp_path / "trust.json"
    save_trust(place, WHOLE.trust)
    await OwnTrust(place).verify(under_way())
    assert "which has" in OwnTrust(place).told()
    save_trust(place, TrustRoot())
    with pytest.raises(RecordError, match="a stranger signed this"):
        await OwnTrust(place).verify(under_way())
    assert OwnTrust(place).told().endswith("which has 0 keys of people")


async def test_without_the_file_nobody_is_believed(tmp_path: Path) -> None:
    own = OwnTrust(tmp_path / "trust.json")
    with pytest.raises(RefusedError, match="nobody's key is trusted on this machine") as refused:
        await own.verify(under_way())
    assert "--trust FILE" in refused.value.hint
    assert own.told().startswith("acts on nobody's GO")


async def test_a_file_that_is_none_believes_nobody_either(tmp_path: Path) -> None:
    place = tmp_path / "trust.json"
    place.write_text("{}", encoding="utf-8")
    with pytest.raises(PlanError, match="is no trust root"):
        await OwnTrust(place).verify(under_way())
