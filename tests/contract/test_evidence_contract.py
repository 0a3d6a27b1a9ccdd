"""Every place of evidence keeps the same promises: a folder, memory, and S3 (a stand-in)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.control.ports import EvidenceStore
from tminus.errors import RecordError, RefusedError, SwappedError
from tminus.evidence import place
from tminus.evidence.contents import MOST
from tminus.testing import MemoryEvidence

if TYPE_CHECKING:
    from tests.s3_stand_in import StandIn

LOG = b"rolled back in 4 s\n"
DIGEST = sha256(LOG).hexdigest()


@dataclass(frozen=True)
class Place:
    """One place, as two who use it see it, and what can be done behind its back."""

    store: EvidenceStore
    other: EvidenceStore
    lay: Callable[[str, bytes], Awaitable[None]]
    """Put something under a name, whatever it is."""


@pytest.fixture(params=["folder", "memory", "s3"])
async def at(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    if request.param == "folder":
        folder = tmp_path / "evidence"

        async def lay(name: str, content: bytes) -> None:
            folder.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)

        yield Place(place(str(folder)), place(str(folder)), lay)
    elif request.param == "memory":
        memory = MemoryEvidence()

        async def swap(name: str, content: bytes) -> None:
            memory.kept[name] = content

        yield Place(memory, memory, swap)
    else:
        s3: StandIn = request.getfixturevalue("s3")
        bucket = await s3.bucket()
        name = f"s3://{bucket}/team/evidence"
        yield Place(place(name), place(name), lambda key, data: s3.lay(bucket, f"team/evidence/{key}", data))


async def test_what_is_kept_comes_back_under_its_sha256(at: Place) -> None:
    assert await at.store.put(LOG) == DIGEST
    assert await at.other.get(DIGEST) == LOG
    assert await at.other.has(DIGEST)


async def test_nothing_is_under_a_digest_that_nobody_kept(at: Place) -> None:
    await at.store.put(LOG)
    assert await at.store.get("0" * 64) is None
    assert not await at.store.has("0" * 64)


async def test_an_empty_place_has_nothing(at: Place) -> None:
    assert await at.store.get(DIGEST) is None
    assert not await at.store.has(DIGEST)


async def test_the_same_by_many_at_once_is_kept_once(at: Place) -> None:
    stores = [at.store, at.other] * 5
    assert set(await asyncio.gather(*(store.put(LOG) for store in stores))) == {DIGEST}
    assert await at.store.put(LOG) == DIGEST
    assert await at.store.get(DIGEST) == LOG


async def test_whoever_reads_while_others_write_never_sees_a_part(at: Place) -> None:
    content = bytes(range(256)) * 4096
    digest = await at.store.put(content)

    async def write() -> None:
        for _ in range(3):
            await at.other.put(content)

    writing = asyncio.gather(write(), write())
    while not writing.done():
        assert await at.store.get(digest) == content
        await asyncio.sleep(0)  # what is in memory keeps nobody waiting, and would let nobody write
    await writing


async def test_the_largest_file_is_kept_whole(at: Place) -> None:
    content = b"x" * MOST
    assert await at.store.get(await at.store.put(content)) == content


@pytest.mark.parametrize(
    ("content", "size"),
    [(b"", "no bytes"), (b"x" * (MOST + 1), f"more than {MOST} bytes")],
    ids=["nothing", "too much"],
)
async def test_nothing_and_too_much_is_refused_and_not_kept(at: Place, content: bytes, size: str) -> None:
    with pytest.raises(RefusedError, match=f"it has {size}") as refused:
        await at.store.put(content)
    assert str(MOST) in refused.value.hint
    assert not await at.store.has(sha256(content).hexdigest())


@pytest.mark.parametrize(
    "digest",
    ["", "../record.jsonl", "/etc/passwd", DIGEST[:-1], DIGEST.upper(), f"{DIGEST}\n", f"sha256:{DIGEST}"],
)
async def test_what_is_no_digest_is_asked_of_no_place(at: Place, digest: str) -> None:
    for act in (at.store.get, at.store.has):
        with pytest.raises(RecordError, match="is no SHA-256 in hex"):
            await act(digest)


@pytest.mark.parametrize(
    "other",
    [b"rolled back in 400 s\n", LOG[:-1], LOG + b"\0", b"", b"x" * (MOST + 1)],
    ids=["other words", "cut", "longer", "empty", "endless"],
)
async def test_what_was_swapped_is_refused_and_named(at: Place, other: bytes) -> None:
    await at.store.put(LOG)
    await at.lay(DIGEST, other)
    found = "and more" if len(other) > MOST else f"sha256:{sha256(other).hexdigest()}"
    with pytest.raises(SwappedError) as swapped:
        await at.store.get(DIGEST)
    assert str(swapped.value).startswith(f"{at.store.where}/{DIGEST} is ")
    assert f"{found}, but sha256:{DIGEST} was signed" in str(swapped.value)
    assert "ask whoever showed it" in swapped.value.hint
    assert await at.store.has(DIGEST), "that something lies there is all that it says"


async def test_whoever_shows_it_again_mends_what_was_swapped(at: Place) -> None:
    await at.store.put(LOG)
    await at.lay(DIGEST, b"something else")
    await at.other.put(LOG)
    assert await at.store.get(DIGEST) == LOG
