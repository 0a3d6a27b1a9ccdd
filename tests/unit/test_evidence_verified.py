"""What people showed, verified: beside the record, in a store that is named, or in neither."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.record_builder import trust_root
    from tests.unit.whole_records import FILE, people_builder
else:
    from record_builder import trust_root
    from whole_records import FILE, people_builder

from tminus.errors import EvidenceError, RecordError
from tminus.evidence import beside
from tminus.signing import verify_file, verify_with
from tminus.testing import MemoryEvidence
from tminus.wiring.shown import bundled

LOG = b"restored in 4 s"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """A record that names one file, which is not beside it."""
    path = tmp_path / "launch" / "record.jsonl"
    path.parent.mkdir()
    path.write_bytes(b"".join(people_builder().lines))
    return path


@pytest.fixture
def store() -> MemoryEvidence:
    """A store of all machines that has it."""
    made = MemoryEvidence("s3://launches")
    made.kept[FILE] = LOG
    return made


async def test_a_file_that_is_elsewhere_is_found_in_the_store_that_is_named(
    record: Path, store: MemoryEvidence
) -> None:
    (note,) = verify_file(record, trust_root()).notes
    assert note == (
        f"restore.log (sha256:{FILE}), shown as evidence, is not beside the record;"
        " `--evidence` names another place"
    )
    assert (await verify_with(record, trust_root(), store)).notes == ()
    store.kept.clear()
    (note,) = (await verify_with(record, trust_root(), store)).notes
    assert note.endswith("is neither beside the record nor in s3://launches")


async def test_what_lies_beside_the_record_is_asked_of_no_store(record: Path, store: MemoryEvidence) -> None:
    await beside(record.parent).put(LOG)
    store.errors.append(EvidenceError("the storage is away", hint="wait"))
    assert (await verify_with(record, trust_root(), store)).notes == ()
    assert store.errors, "nobody asked"


async def test_a_file_swapped_in_the_store_is_refused_with_its_name(
    record: Path, store: MemoryEvidence
) -> None:
    store.kept[FILE] = b"restored in 5 s"
    words = rf"record\.jsonl: evidence restore\.log was swapped: s3://launches/{FILE} is sha256:"
    with pytest.raises(RecordError, match=words):
        await verify_with(record, trust_root(), store)


async def test_a_file_swapped_beside_the_record_is_not_saved_by_the_store(
    record: Path, store: MemoryEvidence
) -> None:
    await beside(record.parent).put(LOG)
    (record.parent / "evidence" / FILE).write_bytes(b"restored in 5 s")
    with pytest.raises(RecordError, match=r"evidence restore\.log was swapped"):
        await verify_with(record, trust_root(), store)


async def test_a_store_that_is_away_proves_nothing_and_breaks_nothing(
    record: Path, store: MemoryEvidence
) -> None:
    store.errors.append(EvidenceError("the storage is away", hint="wait"))
    with pytest.raises(EvidenceError, match="the storage is away"):
        await verify_with(record, trust_root(), store)


async def test_what_was_shown_is_laid_beside_the_record_once(record: Path, store: MemoryEvidence) -> None:
    assert await bundled(store, {FILE: "restore.log"}, record) == []
    assert verify_file(record, trust_root()).notes == ()
    store.kept.clear()
    assert await bundled(store, {FILE: "restore.log"}, record) == [], "it is there"


async def test_what_is_lacking_beside_the_record_is_said_for_each_file(
    record: Path, store: MemoryEvidence
) -> None:
    store.kept["a" * 64] = b"something else"
    shown = {"a" * 64: "one.log", "b" * 64: "two.log", FILE: "restore.log", "../x": "three.log"}
    said = await bundled(store, shown, record)
    assert [words.partition(":")[0] for words in said] == [
        "evidence three.log is not beside the record",
        "evidence one.log is not beside the record",
        "two.log (sha256",
    ]
    assert "but sha256:aaaa" in said[1]
    assert said[2].endswith("shown as evidence, is not in s3://launches")
    assert beside(record.parent).read(FILE) == LOG, "one that is lacking keeps no other away"


async def test_a_store_that_is_away_is_said_once_for_all_files(record: Path, store: MemoryEvidence) -> None:
    store.errors = [EvidenceError("the storage is away", hint="wait")] * 2
    said = await bundled(store, {"a" * 64: "one.log", FILE: "restore.log"}, record)
    assert said == ["evidence is not beside the record: the storage is away; wait"]
