"""One storage for all machines: shown on one, sealed and read by others, swapped by nobody unseen (S3: a stand-in)."""

import asyncio
import json
import os
import shutil
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests import s3_stand_in
    from tests.integration.test_launch_workers import Yard, yard_at
else:
    from test_launch_workers import Yard, yard_at

    import s3_stand_in

from tminus.errors import EvidenceError
from tminus.evidence import place
from tminus.signing import verify_file

LOG = b"everybody answered\n"
DIGEST = sha256(LOG).hexdigest()


@dataclass
class Team:
    """A server that runs launches, and a person's laptop; they share the storage and a database, and nothing else."""

    server: Yard
    laptop: Yard
    bucket: str
    launch: str

    async def attest(self, *, code: int = 0) -> str:
        """The lead's word for a line, with a file that is on the laptop alone."""
        shown = self.laptop.home / "answers.txt"
        shown.write_bytes(LOG)
        word = ("attest", self.launch, "team.ready", "--statement", "all here", "--evidence", str(shown))
        ended, said = await self.laptop.typed(*word)
        assert ended == code, said
        return said

    def record(self, of: Yard) -> Path:
        return of.home / "launches" / self.launch / "record.jsonl"


def written_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def team(server: Yard, home: Path, s3: s3_stand_in.StandIn) -> Team:
    bucket = await s3.bucket()
    more = s3_stand_in.variables(s3.url) | {"TMINUS_EVIDENCE": f"s3://{bucket}/evidence"}
    server.more |= more
    await asyncio.to_thread(home.mkdir)
    laptop = Yard(home, server.url, server.site, more=more | {"TMINUS_PASSPHRASE": "correct horse battery"})
    for words in (("key", "new", "Lena Ortiz", "--role", "lead"), ("trust", "add", "Lena Ortiz")):
        code, said = await laptop.typed(*words)
        assert code == 0, said
    return Team(server, laptop, bucket, await laptop.launch())


async def test_what_is_shown_on_one_machine_is_read_by_every_other(
    tmp_path: Path, s3: s3_stand_in.StandIn
) -> None:
    (tmp_path / "server").mkdir()
    async with yard_at(f"sqlite:///{tmp_path / 'tminus.db'}", tmp_path / "server") as server:
        found = await team(server, tmp_path / "laptop", s3)
        await server.work("w1")
        await server.waiting(found.launch)
        assert f"evidence answers.txt sha256:{DIGEST}" in await found.attest()
        assert await s3.keys(found.bucket) == [f"evidence/{DIGEST}"]
        code, said = await found.laptop.typed("doctor")
        assert f"✓ ok       evidence  s3://{found.bucket}/evidence can be read" in said, said
        await found.laptop.scrub()
        await server.says("w1", f"{found.launch}  has ended: scrubbed")
        for machine in (server, found.laptop):
            record = found.record(machine)
            assert (record.parent / "evidence" / DIGEST).read_bytes() == LOG
            assert (await asyncio.to_thread(verify_file, record, None)).notes == ()
        auditor = tmp_path / "auditor.jsonl"
        shutil.copy(found.record(server), auditor)
        verify = ("verify", str(auditor), "--json")
        _, said = await found.laptop.typed(*verify)
        assert "is not beside the record" in said
        named = (*verify, "--evidence", f"s3://{found.bucket}/evidence")
        _, said = await found.laptop.typed(*named)
        assert json.loads(said)["notes"] == []
        await s3.lay(found.bucket, f"evidence/{DIGEST}", b"nobody answered\n")
        code, said = await found.laptop.typed(*named)
        assert code == 1
        assert "evidence answers.txt was swapped" in json.loads(said)["error"]


async def test_a_word_whose_file_cannot_be_kept_is_not_recorded(
    tmp_path: Path, s3: s3_stand_in.StandIn
) -> None:
    (tmp_path / "server").mkdir()
    async with yard_at(f"sqlite:///{tmp_path / 'tminus.db'}", tmp_path / "server") as server:
        found = await team(server, tmp_path / "laptop", s3)
        with s3.asking_who():
            said = await found.attest(code=4)
            assert "our credentials are not known there" in said
            code, told = await found.laptop.typed("doctor")
            assert code == 1
            assert "✗ failed   evidence  s3://" in told
            for words in (said, told):
                assert s3_stand_in.SECRET not in words
                assert s3_stand_in.KEY not in words
        assert [event.type for event in await server.events(found.launch)] == ["launch.opened"]
        await found.attest()
        with s3.asking_who():
            code, said = await found.laptop.typed("scrub", "staging", "--reason", "the test is over")
            assert code == 0, said
            assert "evidence is not beside the record: s3://" in said
        (note,) = (await asyncio.to_thread(verify_file, found.record(found.laptop), None)).notes
        assert "answers.txt" in note
        assert s3_stand_in.SECRET.encode() not in written_below(tmp_path)


async def test_a_worker_that_could_keep_no_evidence_does_not_begin(tmp_path: Path) -> None:
    environment = {**os.environ, "TMINUS_HOME": str(tmp_path), "TMINUS_EVIDENCE": "s3://me:canary@bucket"}
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tminus", "worker", env=environment, stdout=-1, stderr=-2
    )
    said, _ = await asyncio.wait_for(worker.communicate(), 60)
    assert worker.returncode == 2
    assert b"evidence cannot be kept there" in said
    assert b"canary" not in said


async def test_a_storage_that_comes_back_is_used_again(s3: s3_stand_in.StandIn) -> None:
    store = place(f"s3://{await s3.bucket()}/evidence")
    with s3.asking_who(), pytest.raises(EvidenceError):
        await store.put(LOG)
    assert await store.put(LOG) == DIGEST
