"""Rehearsals on disk: named by what they hold, and believed only as that."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.domain.canonical import canonical, sha256_hex
from tminus.domain.rehearsal import SUBJECTS
from tminus.errors import InconclusiveError, PartError, UnreachableError
from tminus.store.rehearsals import KeptRehearsals

if TYPE_CHECKING:
    from tests.rehearsal_builder import ENDED, rehearsal, whole
else:
    from rehearsal_builder import ENDED, rehearsal, whole

DEFINED = dict.fromkeys(SUBJECTS, "as it is")


def kept_in(folder: Path) -> KeptRehearsals:
    return KeptRehearsals(folder / "rehearsals", lambda: ENDED)


async def test_what_is_kept_is_read_again_as_it_was(tmp_path: Path) -> None:
    kept = kept_in(tmp_path)
    assert await kept.kept() == [], "nothing was ever kept here"
    path = kept.keep(whole(DEFINED))
    assert path.stem == whole(DEFINED).digest == sha256_hex(path.read_bytes())
    assert await kept.kept() == [whole(DEFINED)]
    kept.keep(whole(DEFINED))
    kept.keep(rehearsal())
    assert len(list(await kept.kept())) == 2


async def test_one_that_was_altered_proves_nothing_and_is_named(tmp_path: Path) -> None:
    kept = kept_in(tmp_path)
    path = kept.keep(whole(DEFINED))
    path.write_bytes(path.read_bytes().replace(b'"by":"dario"', b'"by":"mallory"'))
    with pytest.raises(InconclusiveError, match="was altered or cut off") as told:
        await kept.kept()
    assert str(path) in str(told.value)
    assert "rehearse again" in told.value.hint


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (canonical({"kind": "tminus rehearsal"}), "no rehearsal that this tminus can read"),
        (b"no json", "no rehearsal that this tminus can read"),
        (whole(DEFINED).content.replace(b'"format":1', b'"format":2'), "of form 2"),
    ],
)
async def test_what_is_no_rehearsal_proves_nothing(tmp_path: Path, content: bytes, words: str) -> None:
    kept = kept_in(tmp_path)
    kept.folder.mkdir()
    (kept.folder / f"{sha256_hex(content)}.json").write_bytes(content)
    with pytest.raises(InconclusiveError, match=words):
        await kept.kept()


async def test_a_folder_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "rehearsals").write_text("a file")
    with pytest.raises(UnreachableError, match="cannot be read"):
        await kept_in(tmp_path).kept()
    with pytest.raises(PartError, match="cannot be kept") as told:
        kept_in(tmp_path).keep(rehearsal())
    assert "TMINUS_HOME" in told.value.hint
