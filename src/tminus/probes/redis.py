"""Redis: a snapshot that is taken now, and whether it can be loaded elsewhere.

Taking one is the probe's only act: Redis writes the file that it writes for itself anyway. The copy is loaded into a
Redis of our own that listens on no port and is gone afterwards.
"""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

from tminus import processes
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import DeniedError, InconclusiveError, PartError, UnreachableError
from tminus.probes import Probe

if TYPE_CHECKING:
    from redis.asyncio import Redis

ANSWER_SECONDS = 5.0
"""How long Redis may take for one answer."""

SAVING_SECONDS = 30.0
"""How long a snapshot may take, and how long the copy may take to load."""

_LOOK_SECONDS = 0.05
_PASSED_ON = ("PATH", "LANG", "TMPDIR")


@dataclass(frozen=True, slots=True)
class System:
    """One Redis by its address, `redis://…`, which may hold a password; and where its snapshot is tried."""

    address: str = field(repr=False)
    scratch: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))


@Probe
async def snapshot(
    redis: System, *, tolerance_percent: float = 1.0
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with a snapshot that is taken now: not written, not readable, not whole when loaded elsewhere.

    A copy may differ from the source by `tolerance_percent` of the keys, because keys come and go meanwhile, and lack
    keys that have a time to live, for those that have run out are not loaded. Of a Redis without keys a snapshot shows
    nothing.
    """
    async with _client(redis.address) as client:
        keys, mortal = await _keys(client), await _keys(client, "expires")
        if keys == 0:
            raise InconclusiveError(
                "Redis holds no key, and a snapshot of nothing shows nothing",
                hint="if it is a mere cache, let the plan say `not_applicable`; else see where its keys are",
            )
        problems, saved_at = await _save(client)
        if problems:
            return Observation(problems, {"keys": keys})
        file = await _file(client)
        after, mortal = await _keys(client), max(mortal, await _keys(client, "expires"))
    with tempfile.TemporaryDirectory(prefix="tminus-rdb-", dir=redis.scratch) as name:
        copy = await asyncio.to_thread(_copied, file, Path(name))
        problems, loaded = await _tried(copy, file.name)
    if loaded == 0 and mortal >= min(keys, after):
        raise InconclusiveError(
            "every key of the copy had run out before it was loaded, so the copy shows nothing",
            hint="look at a time when Redis holds something that lasts",
        )
    allowed = max(keys, after) * tolerance_percent / 100
    fewest, most = min(keys, after) - mortal - allowed, max(keys, after) + allowed
    if loaded is not None and not fewest <= loaded <= most:
        problems.append(f"the copy holds {loaded} keys, and Redis {after}")
    seen: dict[str, JsonValue] = {
        "file": file.name,
        "keys": after,
        "loaded": loaded,
        "saved_at": saved_at,
        "bytes": copy.bytes,
        "sha256": copy.sha256,
    }
    fact = f"{file.name} of {after:,} keys and {copy.bytes:,} bytes was loaded anew: {loaded or 0:,} keys"
    return Observation(problems, seen, {"sha256": copy.sha256}, fact=fact)


@dataclass(frozen=True, slots=True)
class _Copy:
    """A snapshot's copy and what is known of it."""

    path: Path
    bytes: int
    sha256: str


async def _save(client: "Redis") -> tuple[list[JsonValue], int]:
    """Take a snapshot; what is wrong with it, and when it was taken by Redis' clock."""
    saves = await _persistence(client)
    before = int(saves.get("rdb_saves", 0)), int(saves["rdb_last_save_time"])
    if not int(saves["rdb_bgsave_in_progress"]):
        await _asked(client.bgsave())
    began = monotonic()
    while True:
        saves = await _persistence(client)
        if not int(saves["rdb_bgsave_in_progress"]):
            break
        if monotonic() - began > SAVING_SECONDS:
            raise InconclusiveError(
                f"the snapshot is not written after {SAVING_SECONDS:g} s", hint="look again when it is"
            )
        await asyncio.sleep(_LOOK_SECONDS)
    status, after = saves["rdb_last_bgsave_status"], int(saves["rdb_last_save_time"])
    if status != "ok":
        return [
            f"the snapshot could not be written (rdb_last_bgsave_status: {status}); see Redis' log"
        ], after
    if (int(saves.get("rdb_saves", 0)), after) == before:
        return ["Redis says that it saved, and its last save is the one before"], after
    return [], after


async def _persistence(client: "Redis") -> Mapping[str, Any]:
    found: Mapping[str, Any] = await _asked(client.info("persistence"))
    return found


async def _keys(client: "Redis", which: str = "keys") -> int:
    """The keys of all its databases; with `expires` those that have a time to live."""
    spaces: Mapping[str, Any] = await _asked(client.info("keyspace"))
    return sum(int(space[which]) for space in spaces.values())


async def _file(client: "Redis") -> Path:
    """Where the snapshot lies, on this machine."""
    folder = await _asked(client.config_get("dir"))
    name = await _asked(client.config_get("dbfilename"))
    return Path(str(folder["dir"]), str(name["dbfilename"]))


def _copied(file: Path, folder: Path) -> _Copy:
    """A copy of the snapshot; raises `InconclusiveError` when the file is not to be read from here."""
    target = folder / "dump.rdb"
    try:
        shutil.copyfile(file, target)
    except OSError as error:
        raise InconclusiveError(
            f"{file.name} cannot be read here: {error.strerror}",
            hint="run tminus where Redis' folder is mounted, as a user who may read it",
        ) from error
    data = target.read_bytes()
    return _Copy(target, len(data), sha256(data).hexdigest())


async def _tried(copy: _Copy, name: str) -> tuple[list[JsonValue], int | None]:
    """What is wrong with the copy, and how many keys a Redis of our own finds in it."""
    env = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    looked = await processes.run(["redis-check-rdb", str(copy.path)], env=env, seconds=SAVING_SECONDS)
    if looked.code != 0:
        last = [line for line in looked.said.splitlines() if line.strip()][-1:] or ["it says nothing"]
        return [f"{name} is not readable by redis-check-rdb: {last[0]}"], None
    socket, scratch = copy.path.parent / "redis.sock", f"scratch-{secrets.token_hex(3)}"
    # Redis moves into its folder, and a part is known by living in its own: both are the same one.
    folder = processes.make_part_folder(copy.path.parent, scratch)
    os.link(copy.path, folder / copy.path.name)
    argv = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", "", "--daemonize", "no"]
    argv += ["--dir", str(folder), "--dbfilename", copy.path.name, "--appendonly", "no"]
    process = processes.start(copy.path.parent, scratch, argv, env=env)
    try:
        return await _loaded(process, socket, name)
    finally:
        await process.kill()


async def _loaded(process: processes.Process, socket: Path, name: str) -> tuple[list[JsonValue], int | None]:
    async def answers() -> bool:
        try:
            async with _client(f"unix://{socket}") as client:
                return not int((await _persistence(client))["loading"])
        except UnreachableError:
            return False

    try:
        await process.ready(answers, SAVING_SECONDS)
    except PartError as error:
        return [f"{name} cannot be loaded: {str(error).splitlines()[-1]}"], None
    async with _client(f"unix://{socket}") as client:
        return [], await _keys(client)


async def _asked(answer: Any) -> Any:
    """One answer of Redis; its refusals as ours."""
    from redis import exceptions  # noqa: PLC0415 - a vendor's library is imported where it is called

    try:
        return await answer
    except (exceptions.AuthenticationError, exceptions.NoPermissionError) as error:
        raise DeniedError(
            f"Redis refuses us: {error}", hint="write the password behind its address"
        ) from error
    except exceptions.BusyLoadingError as error:
        raise UnreachableError("Redis still loads its data", hint="wait until it has") from error
    except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
        raise UnreachableError(
            f"Redis does not answer: {type(error).__name__}", hint="is it running, and is the address right?"
        ) from error
    except exceptions.ResponseError as error:
        raise DeniedError(
            f"Redis does not do it: {error}", hint="let its user run INFO, BGSAVE and CONFIG GET"
        ) from error


@asynccontextmanager
async def _client(address: str) -> AsyncIterator["Redis"]:
    from redis.asyncio import Redis  # noqa: PLC0415 - a vendor's library is imported where it is called

    try:
        client = Redis.from_url(
            address,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            decode_responses=True,
        )
    except ValueError as error:
        raise InconclusiveError(
            "the address of Redis is none",
            hint="let it be redis://HOST:PORT, with a password before the host",
        ) from error
    try:
        yield client
    finally:
        await client.aclose()
