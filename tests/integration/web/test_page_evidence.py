"""Files that people showed, from the drawer of their line to the viewer's disk."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.web.page_world import LAUNCH, T0, Played, served
else:
    from page_world import LAUNCH, T0, Played, served

from tminus.domain.words import ATTESTED, Attestation, attested_claim, attested_words
from tminus.errors import EvidenceError
from tminus.evidence import beside
from tminus.testing import MemoryEvidence

LOG = b"<script>alert('rolled back in 4 s')</script>\n"
DIGEST = sha256(LOG).hexdigest()
LINE = "t24.brief"
FILE = f"/launches/{LAUNCH}/evidence/{DIGEST}"


def attested(name: str = "rehearsal of ü.html", digest: str = DIGEST) -> Played:
    """A launch in which somebody has given their word for a line, with a file."""
    launch = Played().open()
    word = Attestation(
        launch=LAUNCH,
        check=LINE,
        role="devops",
        person="Dario Voss",
        holds=True,
        statement="rolled back in 4 s",
        version=1,
        signed_at="",
        evidence=digest,
        source=name,
    )
    data: dict[str, Any] = {
        **attested_claim(word, None, blocker=False),
        "text": "",
        "expect": "",
        "observed_at": T0 + launch.t,
    }
    launch.add(ATTESTED, data | attested_words(word, None, blocker=False))
    return launch


@pytest.fixture
def store() -> MemoryEvidence:
    made = MemoryEvidence("s3://launches")
    made.kept[DIGEST] = LOG
    return made


async def test_the_drawer_tells_a_person_s_word_and_links_what_they_showed(tmp_path: Path) -> None:
    async with served(attested(), tmp_path) as page:
        status, text, _ = await page.get(f"/launches/{LAUNCH}/lines/{LINE}")
        assert status == 200
        assert "Dario Voss: rolled back in 4 s" in text
        assert "Never observed" not in text
        assert f'<a href="{FILE}" download>rehearsal of ü.html</a>' in text
        _, text, _ = await page.get(f"/launches/{LAUNCH}/lines/bk.db")
        assert "Files that people showed" not in text


async def test_a_word_without_a_file_links_none(tmp_path: Path) -> None:
    async with served(attested("", ""), tmp_path) as page:
        _, text, _ = await page.get(f"/launches/{LAUNCH}/lines/{LINE}")
        assert "rolled back in 4 s" in text
        assert "Files that people showed" not in text


async def test_a_file_goes_to_the_disk_and_never_speaks_for_the_page(
    tmp_path: Path, store: MemoryEvidence
) -> None:
    async with served(attested(), tmp_path, evidence=store) as page:
        status, text, headers = await page.get(FILE)
        assert (status, text.encode()) == (200, LOG)
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-disposition"] == "attachment; filename*=UTF-8''rehearsal%20of%20%C3%BC.html"
        assert headers["x-content-type-options"] == "nosniff"


async def test_without_a_common_place_it_is_taken_from_beside_the_record(tmp_path: Path) -> None:
    async with served(attested("https://ci.example/build/7/log\r\nx: y"), tmp_path) as page:
        status, text, _ = await page.get(FILE)
        assert status == 404
        assert f"is not in {tmp_path / 'launches' / LAUNCH / 'evidence'}" in text
        assert "TMINUS_EVIDENCE names one place for all machines" in text
        await beside(tmp_path / "launches" / LAUNCH).put(LOG)
        status, _, headers = await page.get(FILE)
        assert status == 200
        assert headers["content-disposition"] == "attachment; filename*=UTF-8''log%0D%0Ax%3A%20y"


@pytest.mark.parametrize("digest", ["0" * 64, "record.jsonl", "..%2Frecord.jsonl"])
async def test_what_nobody_showed_in_this_launch_is_not_handed_out(
    digest: str, tmp_path: Path, store: MemoryEvidence
) -> None:
    store.kept["0" * 64] = b"of another launch"
    async with served(attested(), tmp_path, evidence=store) as page:
        status, text, _ = await page.get(f"/launches/{LAUNCH}/evidence/{digest}")
        assert status == 404
        assert "of another launch" not in text


async def test_a_swapped_file_is_refused_and_not_asked_for_again(
    tmp_path: Path, store: MemoryEvidence
) -> None:
    store.kept[DIGEST] = b"something else"
    async with served(attested(), tmp_path, evidence=store) as page:
        status, text, headers = await page.get(FILE)
        assert status == 409
        assert f"but sha256:{DIGEST} was signed" in text
        assert "something else" not in text
        assert "refresh" not in headers


async def test_a_store_that_is_away_is_said_with_what_to_do(tmp_path: Path, store: MemoryEvidence) -> None:
    store.errors.append(EvidenceError("the storage is away", hint="wake it"))
    async with served(attested(), tmp_path, evidence=store) as page:
        status, text, _ = await page.get(FILE)
        assert status == 503
        assert "the storage is away" in text
        assert "wake it" in text
        status, _, _ = await page.get(FILE)
        assert status == 200
