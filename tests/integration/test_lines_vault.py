"""The line about Vault's snapshot: a real OpenBao on raft, and a snapshot of it damaged in each way."""

import gzip
import io
import json
import os
import shutil
import tarfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from tminus import loopback
from tminus.domain.evidence import Claim, Verdict
from tminus.standins.clock import wall_clock
from tminus.standins.kubernetes.store import instant

if TYPE_CHECKING:
    from tests.integration.line_register import line
    from tests.integration.line_world import fails, shows
    from tests.secrets_world import judged, plan
    from tests.vault_world import Bao, bao, raft
else:
    from line_register import line
    from line_world import fails, shows

    from secrets_world import judged, plan
    from vault_world import Bao, bao, raft

LINE = "bk.vault"
VALUE = "canary-snapshot-7f3a9c"


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with raft(tmp_path_factory.mktemp("raft")) as made:
        made.mount("secret")
        made.ask("POST", "secret/data/a", {"data": {"key": VALUE}}, token=made.token)
        yield made


async def judge(vault: Bao, **arguments: Any) -> Claim:
    claim, events = await judged(LINE, {"VAULT": vault.address}, **arguments)
    written = json.dumps([event.data for event in events], default=str)
    assert VALUE not in written
    assert vault.token not in written
    return claim


def held(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


@pytest.fixture
async def taken(vault: Bao, tmp_path: Path) -> Path:
    """A snapshot that the line itself has taken."""
    folder = tmp_path / "taken"
    folder.mkdir()
    shows(await judge(vault, folder=str(folder), take=True), Verdict.WARNED, "restored nowhere")
    (found,) = folder.glob("*.snap")
    assert found.stat().st_mode & 0o777 == 0o600
    return found


@line(LINE, "passed", "(warned) a snapshot is taken and whole; nobody restored it", mutation=511)
async def test_a_snapshot_is_taken_once_and_is_whole(vault: Bao, taken: Path) -> None:
    claim = await judge(vault, folder=str(taken.parent), take=True)
    shows(claim, Verdict.WARNED, "only its integrity is known")
    assert held(taken.parent) == [taken.name, f"{taken.name}.sha256"]
    noted = (taken.parent / f"{taken.name}.sha256").read_text().split()[0]
    assert noted == digest(taken)


Damage = Callable[[Path], None]


def rebuilt(file: Path, *, ago: float = 0.0, leave_out: str = "", sums: bool = True, **parts: bytes) -> None:
    """Write a snapshot's archive again: other parts, another time, with sums that fit unless they are to be old."""
    with tarfile.open(file) as archive:
        held = [(one, archive.extractfile(one)) for one in archive.getmembers()]
        found = {one.name: stream.read() for one, stream in held if stream}
        times = {one.name: one.mtime for one, _ in held}
    given = {name.replace("_", "."): body for name, body in parts.items()}
    found |= given
    if sums:
        lines = [f"{sha256(found[name]).hexdigest()}  {name}" for name in ("meta.json", "state.bin")]
        found["SHA256SUMS"] = ("\n".join(lines) + "\n").encode()
    if "SHA256SUMS" in parts:
        found["SHA256SUMS"] = parts["SHA256SUMS"]
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, body in found.items():
            if name != leave_out:
                about = tarfile.TarInfo(name)
                about.size, about.mtime = len(body), times[name] - ago
                archive.addfile(about, io.BytesIO(body))
    file.write_bytes(gzip.compress(raw.getvalue()))
    file.with_name(f"{file.name}.sha256").unlink(missing_ok=True)


def part(file: Path, name: str) -> bytes:
    with tarfile.open(file) as archive:
        stream = archive.extractfile(name)
        assert stream is not None
        return stream.read()


def old(file: Path) -> None:
    rebuilt(file, ago=3 * 3600)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])
    file.with_name(f"{file.name}.sha256").unlink()


def flipped(file: Path) -> None:
    state = part(file, "state.bin")
    rebuilt(file, sums=False, state_bin=state[:50] + bytes([state[50] ^ 1]) + state[51:])


def without_sums(file: Path) -> None:
    rebuilt(file, leave_out="SHA256SUMS")


def half_summed(file: Path) -> None:
    meta = part(file, "meta.json")
    rebuilt(file, SHA256SUMS=f"{sha256(meta).hexdigest()}  meta.json\n".encode())


def exchanged(file: Path) -> None:
    note = file.with_name(f"{file.name}.sha256").read_text()
    rebuilt(file, state_bin=b"another state")
    file.with_name(f"{file.name}.sha256").write_text(note)


def refusal(file: Path) -> None:
    file.write_text('{"errors": ["permission denied for canary-refused"]}')
    file.with_name(f"{file.name}.sha256").unlink()


def emptied(file: Path) -> None:
    file.write_bytes(b"")
    file.with_name(f"{file.name}.sha256").unlink()


def gone(file: Path) -> None:
    file.unlink()


def of_another(file: Path) -> None:
    meta = json.loads(part(file, "meta.json"))
    before = file.with_name("vault-0000.snap")
    shutil.copy(file, before)
    rebuilt(before, meta_json=json.dumps({**meta, "Index": meta["Index"] + 1000}).encode())
    at = file.stat().st_mtime - 60
    os.utime(before, (at, at))


@dataclass(frozen=True)
class Way:
    """One way to damage a snapshot, and what must be said then."""

    number: int
    how: str
    damage: Damage
    words: tuple[str, ...]
    verdict: Verdict = Verdict.FAILED


WAYS = (
    Way(499, "it is three hours old", old, ("3.0 hours ago", "2 are allowed")),
    Way(501, "the archive is cut off", cut, ("cannot be read to its end",)),
    Way(502, "one byte of its state is flipped", flipped, ("state.bin", "SHA256SUMS says")),
    Way(503, "it has no digests", without_sums, ("no digests of its parts",)),
    Way(503, "it has a digest of meta.json alone", half_summed, ("no digest of state.bin",)),
    Way(504, "state and digests were exchanged", exchanged, ("was noted when it was taken",)),
    Way(505, "it holds Vault's refusal", refusal, ("is no snapshot",)),
    Way(506, "it is empty", emptied, ("is empty, and no snapshot",)),
    Way(507, "it was deleted after it was taken", gone, ("was taken and is gone",)),
    Way(
        510,
        "it is behind the one before",
        of_another,
        (r"at index \d+", "see whether both"),
        Verdict.INCONCLUSIVE,
    ),
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.number}-{way.how.replace(' ', '_')}")
async def test_each_way_to_damage_a_snapshot_is_told(vault: Bao, taken: Path, way: Way) -> None:
    way.damage(taken)
    claim = await judge(vault, folder=str(taken.parent))
    if way.verdict is Verdict.FAILED:
        fails(claim, plan(), *way.words)
    else:
        shows(claim, way.verdict, *way.words)
    assert "canary" not in claim.why


for _way in WAYS:
    line(LINE, _way.verdict.value, _way.how, mutation=_way.number)(test_each_way_to_damage_a_snapshot_is_told)


@line(LINE, "inconclusive", "there is no snapshot", mutation=498)
async def test_a_folder_without_snapshots_shows_nothing(vault: Bao, tmp_path: Path) -> None:
    shows(await judge(vault, folder=str(tmp_path)), Verdict.INCONCLUSIVE, "there is no snapshot", "take one")


@line(LINE, "error", "the token may take no snapshot", mutation=512)
async def test_a_token_without_the_right_takes_none(vault: Bao, tmp_path: Path) -> None:
    made = vault.ask("POST", "auth/token/create", {"policies": ["default"]}, token=vault.token)
    weak = Bao(vault.url, made["auth"]["client_token"])
    claim = await judge(weak, folder=str(tmp_path), take=True)
    shows(claim, Verdict.ERROR, "refuses us sys/storage/raft/snapshot")
    assert held(tmp_path) == []


@line(LINE, "failed", "Vault is sealed when one is to be taken", mutation=513)
async def test_a_sealed_vault_gives_none(tmp_path: Path) -> None:
    with bao(tmp_path / "own") as own:
        own.ask("PUT", "sys/seal")
        fails(
            await judge(own, folder=str(tmp_path), take=True),
            plan(),
            "no snapshot could be taken: Vault is sealed",
        )


@line(LINE, "inconclusive", "this Vault does not store by raft", mutation=514)
async def test_a_vault_on_other_storage_gives_none(tmp_path: Path) -> None:
    with bao(tmp_path / "own") as own:
        claim = await judge(own, folder=str(tmp_path), take=True)
    shows(claim, Verdict.INCONCLUSIVE, "does not store by raft", "attest")


@line(LINE, "error", "Vault does not answer when one is to be taken")
async def test_a_vault_that_is_away_gives_none(tmp_path: Path) -> None:
    shows(
        await judge(Bao("http://127.0.0.1:1"), folder=str(tmp_path), take=True), Verdict.ERROR, "127.0.0.1:1"
    )


async def test_where_snapshots_are_has_to_be_said_once(vault: Bao, tmp_path: Path) -> None:
    for arguments in ({"folder": ""}, {"folder": str(tmp_path), "automatic": "hourly"}):
        shows(await judge(vault, **arguments), Verdict.INCONCLUSIVE, "where snapshots are")


@asynccontextmanager
async def enterprise(status: int, **data: Any) -> AsyncIterator[Bao]:
    """What Vault Enterprise would say of its automatic snapshots; no such server starts here."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/v1/sys/health":
            return web.json_response({"version": "1.15.0+ent", "sealed": False})
        assert request.path == "/v1/sys/storage/raft/snapshot-auto/status/hourly"
        return web.json_response({"data": data} if status == 200 else {"errors": []}, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = loopback.free_port()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield Bao(f"http://127.0.0.1:{port}")
    finally:
        await runner.cleanup()


async def automatic(status: int, **data: Any) -> Claim:
    async with enterprise(status, **data) as own:
        return await judge(own, folder="", automatic="hourly")


async def test_an_automatic_snapshot_that_went_well_is_taken_at_its_word() -> None:
    claim = await automatic(200, last_snapshot_end=instant(wall_clock() - 600), last_snapshot_error="")
    shows(claim, Verdict.WARNED, "restored nowhere")


@line(LINE, "failed", "the automatic snapshot tells an error", mutation=508)
async def test_an_automatic_snapshot_s_error_fails() -> None:
    claim = await automatic(
        200, last_snapshot_end=instant(wall_clock()), last_snapshot_error="no such bucket"
    )
    fails(claim, plan(), "hourly failed: no such bucket")


@line(LINE, "failed", "the automatic snapshot stopped last night", mutation=509)
async def test_an_automatic_snapshot_that_stopped_fails() -> None:
    claim = await automatic(200, last_snapshot_end=instant(wall_clock() - 10 * 3600), last_snapshot_error="")
    fails(claim, plan(), r"10\.0 hours ago", "2 are allowed")


@line(LINE, "inconclusive", "Vault does not know the automatic snapshot", mutation=515)
async def test_an_unknown_automatic_snapshot_shows_nothing() -> None:
    shows(await automatic(404), Verdict.INCONCLUSIVE, "knows no automatic snapshot hourly")
