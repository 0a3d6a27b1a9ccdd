"""The smaller fakes: the record, the database, and those who look, sign and probe."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from tminus.control.ports import Json
from tminus.domain.canonical import JsonValue, canonical, sha256_hex, timestamp
from tminus.domain.course import Course, course_of
from tminus.domain.evidence import Observation
from tminus.domain.plan import Check
from tminus.domain.record import Entry, Event, append
from tminus.errors import ProbeError, TminusError
from tminus.testing.fate import Fate

Seen = Observation | BaseException
"""What a look gives: an observation, or the error that is raised instead."""


class BothClocks(Protocol):
    """Real time and launch time, as `control.launchtime.LaunchTime` has them."""

    def now(self) -> float:
        """Seconds of the epoch."""
        ...

    def t_ms(self) -> int | None:
        """Milliseconds from T-0 on the launch clock; none while there is no T-0."""
        ...


class MemoryRecord:
    """A launch record in a list that outlives its process; chained like any other."""

    def __init__(
        self, clocks: BothClocks, chain: list[Event] | None = None, fate: Fate | None = None
    ) -> None:
        self._clocks = clocks
        self._fate = fate or Fate()
        self.chain = [] if chain is None else chain

    async def append_once(self, key: str, kind: str, data: Json) -> Event:
        """See `Record.append_once`."""
        for event in self.chain:
            if event.key == key:
                return event
        at, t_ms = timestamp(self._clocks.now()), self._clocks.t_ms()
        self._fate.moment(f"to record {key}")
        event = append(self.chain[-1] if self.chain else None, Entry(kind, key, data, at, t_ms))
        self.chain.append(event)
        self._fate.moment(f"recorded {key}")
        return event

    async def append_while(self, allowed: Callable[[Course], None], key: str, kind: str, data: Json) -> Event:
        """See `Record.append_while`."""
        allowed(course_of(self.chain))
        return await self.append_once(key, kind, data)

    async def events(self, after_seq: int = -1) -> list[Event]:
        """See `Record.events`."""
        return self.chain[after_seq + 1 :]


class FakeVerifier:
    """Believes every record, until it is told not to."""

    def __init__(self) -> None:
        self.error: TminusError | None = None
        """Why the record proves nothing; nothing while it does."""
        self.asked = 0

    async def verify(self, events: Sequence[Event]) -> None:
        """See `Verifier.verify`."""
        del events
        self.asked += 1
        if self.error is not None:
            raise self.error


class FakeProber:
    """Gets an answer through the public name, or not."""

    def __init__(self) -> None:
        self.ok = True
        self.asked = 0

    async def answers(self) -> bool:
        """See `Prober.answers`."""
        self.asked += 1
        return self.ok


class FakeInvariants:
    """The data's invariants: what each gives now, or why none can be read."""

    def __init__(self, values: Mapping[str, JsonValue]) -> None:
        self.now = dict(values)
        self.error: ProbeError | None = None
        """Why nothing can be read; nothing while it can."""
        self.asked = 0

    async def values(self) -> dict[str, JsonValue]:
        """See `Invariants.values`."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        return dict(self.now)


class FakeCommands:
    """Flags and settings of a service: `on NAME` and `off NAME` change one, `show NAME` prints how it stands."""

    def __init__(self, fate: Fate | None = None) -> None:
        self._fate = fate or Fate()
        self.flags: dict[str, str] = {}
        """By name, what was changed; what nobody has changed is off."""
        self.ran: list[str] = []
        """Every command that changed something."""
        self.broken: dict[str, Exception] = {}
        """By command: what it raises."""
        self.deaf: set[str] = set()
        """Flags that no command changes, whatever it says."""
        self.begun: set[str] = set()
        """The names of what was run."""
        self.under_way: dict[str, str] = {}
        """By the key of a change: the flag that a command turns on which was given up and goes on."""

    async def run(self, digest: str, command: Sequence[str], name: str = "") -> str:
        """See `Commands.run`."""
        del digest
        word, flag = command
        if " ".join(command) in self.broken:
            raise self.broken[" ".join(command)]
        if word != "show" and (not name or name not in self.begun):
            self.begun.add(name)
            self.ran.append(" ".join(command))
            if flag not in self.deaf:
                self.flags[flag] = word
            self._fate.act(" ".join(command))
        return self.flags.get(flag, "off")

    async def settle(self, name: str) -> None:
        """See `Commands.settle`: what still goes on comes to its end now."""
        if flag := self.under_way.pop(name.partition(" ")[0], ""):
            self.flags[flag] = "on"


class FakeComponents:
    """The other components of a service: `set NAME DIGEST` brings one to an image, `read NAME` tells which it runs."""

    def __init__(self, fate: Fate | None = None) -> None:
        self._fate = fate or Fate()
        self.runs: dict[str, str] = {}
        """By name: the digest."""
        self.broken: dict[str, Exception] = {}
        """By digest: what setting it raises."""

    async def run(self, digest: str, command: Sequence[str], name: str = "") -> str:
        """See `Commands.run`."""
        del digest
        del name
        word, component, *wanted = command
        if word == "set":
            if wanted[0] in self.broken:
                raise self.broken[wanted[0]]
            self.runs[component] = wanted[0]
            self._fate.act(f"set {component}")
        return self.runs[component]

    async def settle(self, name: str) -> None:
        """See `Commands.settle`."""


class FakeSmoke:
    """Smoke tests whose failures are told beforehand, by address."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}
        self.asked: list[str] = []

    async def failures(self, url: str) -> list[str]:
        """See `Smoke.failures`."""
        self.asked.append(url)
        return list(self.found.get(url, []))


class FakeDatabase:
    """A database that counts what is done to it."""

    def __init__(self, fate: Fate | None = None) -> None:
        self._fate = fate or Fate()
        self.errors: dict[str, list[TminusError]] = {}
        """What goes wrong, by `back up` or `migrate`, one error for each time."""
        self.backups: set[str] = set()
        """The names of the files that were made."""
        self.on_migrate: Callable[[], None] | None = None
        """What the migration does to the world."""

    async def back_up(self, name: str) -> Json:
        """See `Database.back_up`."""
        self._may_fail("back up")
        self.backups.add(name)
        self._fate.act("back up")
        return {
            "file": "backup.dump",
            "sha256": sha256_hex(b"backup"),
            "bytes": 6,
            "rows": 2,
            "revision": "0001",
        }

    async def migrate(self, digest: str) -> Json:
        """See `Database.migrate`."""
        self._may_fail("migrate")
        if self.on_migrate is not None:
            self.on_migrate()
        self._fate.act("migrate")
        return {"before": "0001", "after": "0002", "release": digest}

    def _may_fail(self, what: str) -> None:
        if coming := self.errors.get(what):
            raise coming.pop(0)


class FakeSignatory:
    """Makes envelopes that are the same in every run; no key is behind them."""

    def __init__(self, fate: Fate | None = None) -> None:
        self._fate = fate or Fate()
        self.statements: list[Json] = []

    def sign(self, role: str, statement: Json) -> Json:
        """See `Signatory.sign`."""
        payload = canonical(statement)
        self.statements.append(statement)
        self._fate.act(f"sign as {role}")
        return {
            "payloadType": "application/vnd.in-toto+json",
            "payload": b64encode(payload).decode(),
            "signatures": [{"keyid": role, "sig": sha256_hex(role.encode() + payload)}],
        }


class ScriptedObserver:
    """Sees what it was told for each check, in order; the last is seen for ever."""

    def __init__(self, scripts: Mapping[str, list[Seen]] | None = None, default: Seen | None = None) -> None:
        self.scripts = {check: list(script) for check, script in (scripts or {}).items()}
        self.controls: dict[str, Seen] = {}
        """What is seen under a check's negative control."""
        self.default = default
        """What is seen where nothing was told; without it that is a `KeyError`."""
        self.looks: list[tuple[str, dict[str, JsonValue]]] = []

    async def observe(self, check: Check, arguments: Mapping[str, JsonValue]) -> Observation:
        """See `Observer.observe`."""
        self.looks.append((check.id, dict(arguments)))
        under_control = check.control is not None and dict(arguments) != dict(check.arguments or {})
        seen = self.controls[check.id] if under_control else self._next(check.id)
        if isinstance(seen, BaseException):
            raise seen
        return seen

    def _next(self, check: str) -> Seen:
        script = self.scripts.get(check)
        if script is None:
            if self.default is None:
                raise KeyError(check)
            return self.default
        return script.pop(0) if len(script) > 1 else script[0]
