"""A launch for tests of the page: its events and its requests, played as far as a test wants."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import tminus.demo
from tminus.domain.canonical import timestamp
from tminus.domain.guard import Guard, GuardLimits
from tminus.domain.plan import Check, Kind, Plan
from tminus.domain.record import Entry, Event, append
from tminus.domain.trace import render
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.planfile import read
from tminus.store.record import RecordStore
from tminus.store.tables import connect
from tminus.web.traffic import Traffic
from tminus.web.view import Picture, Told, picture

PLAN = Path(tminus.demo.__file__).parent / "demo.yaml"
T0 = 1_800_000_000.0
LAUNCH = "depot-2"
BLUE, GREEN = (sha256(name).hexdigest() for name in (b"blue", b"green"))


@dataclass
class Played:
    """One launch under way; times are seconds from T-0."""

    plan: Plan = field(default_factory=lambda: read(PLAN))
    events: list[Event] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    trace: list[Outcome | WeightChange] = field(default_factory=list)
    t: float = -600.0

    def add(self, kind: str, data: dict[str, Any], key: str = "") -> Event:
        """Record an event now."""
        name = key or f"{kind}#{len(self.events)}"
        entry = Entry(kind, name, data, timestamp(T0 + self.t), round(self.t * 1000))
        self.entries.append(entry)
        self.events.append(append(self.events[-1] if self.events else None, entry))
        return self.events[-1]

    def open(self) -> "Played":
        """Open the launch."""
        roles = [
            {"role": r.id, "title": r.title, "person": r.person, "simulated": r.simulated}
            for r in self.plan.roles
        ]
        self.add(
            "launch.opened",
            {
                "launch": LAUNCH,
                "plan": {
                    "name": self.plan.name,
                    "digest": self.plan.digest,
                    "production": False,
                    "lines": self.plan.total,
                },
                "release": {"depot": GREEN},
                "previous": {"depot": BLUE},
                "schedule": {"t0": timestamp(T0), "speed": 1},
                "signers": [role.id for role in self.plan.roles if role.signs],
                "deciders": ["lead"],
                "roles": roles,
                "required": [
                    {
                        "check": c.id,
                        "due_ms": int(c.due * 1000),
                        "severity": c.severity.value,
                        "live_ms": None,
                    }
                    for c in self.plan.before_go()
                ],
                "omitted": [
                    {"check": line, "reason": omission.reason}
                    for omission in self.plan.omitted
                    for line in omission.lines
                ],
                "systems": {"postgres": "real", "mail": "stand-in"},
                "by_hand": ["python -c 'weights back to blue'"],
            },
            "opened",
        )
        return self

    def observe(self, check: Check | str, verdict: str = "passed", **changes: Any) -> Event:
        """Look at one line."""
        line = self.plan.check(check) if isinstance(check, str) else check
        source = {Kind.PERSON: "simulated", Kind.STEP: "step", Kind.ROLLUP: "rollup"}.get(line.kind, "probe")
        verdict = "not-applicable" if line.kind is Kind.NOT_APPLICABLE else verdict
        data = {
            "check": line.id,
            "verdict": verdict,
            "fingerprint": sha256(f"{line.id}{verdict}".encode()).hexdigest(),
            "source": source,
            "text": line.text,
            "value": [] if verdict == "passed" else ["search_v2 is on for everyone"],
            "expect": "empty",
            "why": "nothing wrong" if verdict == "passed" else "search_v2 is on, expected empty",
            "seen": {"digest": f"sha256:{GREEN}", "evaluations": 36},
            "material": {},
            "observed_at": T0 + self.t,
        }
        return self.add("check.observed", data | changes)

    def ready(self, **verdicts: str) -> "Played":
        """Look at every line that GO judges; a dot in a name is written as two underscores."""
        wanted = {name.replace("__", "."): verdict for name, verdict in verdicts.items()}
        for check in self.plan.before_go():
            self.t += 0.1
            self.observe(check, wanted.get(check.id, "passed"))
        return self

    def poll(self) -> "Played":
        """Open the poll."""
        self.add("poll.opened", {"root": "ab" * 32, "evidence": {}})
        return self

    def sign(self, role: str, decision: str = "go") -> None:
        """One signature."""
        person = next(each for each in self.plan.roles if each.id == role)
        data = {"role": role, "person": person.person, "title": person.title, "simulated": True}
        self.add("signoff.given", data | {"decision": decision, "note": "looks good", "envelope": {}})

    def go(self) -> "Played":
        """Everything up to GO at T-0."""
        self.open()
        self.t = -120.0  # so late that nothing has grown stale at T-0
        self.ready().poll()
        for role in self.plan.roles:
            if role.signs:
                self.sign(role.id)
        self.t = 0.0
        word = {"decision": "go", "by": "Lena Ortiz", "role": "lead", "simulated": True, "envelope": {}}
        self.add("decision.made", word | {"reason": "all is green"})
        return self

    def step(self, name: str, **more: Any) -> None:
        """One step of the rollout, begun and done."""
        self.add("step.started", {"step": name})
        self.t += 0.5
        self.add("step.done", {"step": name, "seconds": 0.5, **more})

    def serve(self, seconds: int, *, green_fails: int = 0, weight: int = 0) -> None:
        """Let users come for a while; each n-th request on green fails."""
        number = 0
        for each in range(seconds * 20):
            at = T0 + self.t + each / 20
            green = weight and each % (100 // weight) == 0
            number += bool(green)
            bad = green and green_fails and number % green_fails == 0
            side = Side.GREEN if green else Side.BLUE
            self.trace.append(Outcome(at, side, 500 if bad else 200, 20.0 + each % 7, f"user-{each % 9}"))
        self.t += seconds

    def shift(self, percent: int) -> None:
        """Give green a share."""
        self.step(f"shift {percent}", set=percent, read_back=percent)
        self.trace.append(WeightChange(T0 + self.t, percent))

    def look(self, where: str, percent: int, action: str = "continue", **more: Any) -> Event:
        """What the guard says of the traffic so far, as a launch records it."""
        guard = Guard(GuardLimits())
        for item in self.trace:
            guard.observe(item)
        gauges = guard.gauges(T0 + self.t)
        counts = guard.counts
        data: dict[str, Any] = {
            "action": action,
            "rule": "",
            "text": "",
            "seconds": 5.0,
            "at": None,
            "where": where,
            "proven": True,
            "share": {"set": percent, "green": counts.green.requests, "total": counts.blue.requests, "low": 0.1,
                      "high": 0.1, "explained": True},
            "gauges": {
                "tests": [
                    {"rule": g.rule, "evidence": g.evidence, "threshold": g.threshold, "hits": g.hits,
                     "requests": g.requests}
                    for g in gauges.tests
                ],
                "triggers": [
                    {"trigger": g.trigger.id, "state": g.state.value, "breached_seconds": g.breached_seconds,
                     "for_seconds": g.trigger.for_seconds}
                    for g in gauges.triggers
                ],
                "counts": counts.as_dict(),
                "lines": {"received": len(self.trace), "lost": 0, "refused": 0},
            },
        }  # fmt: skip
        return self.add("traffic.seen", data | more)

    def lift_off(self) -> "Played":
        """GO, green prepared, ten percent of the traffic on it for a while."""
        self.t = -600.0
        self.go()
        self.serve(8)
        for name in ("initiate", "back up", "migrate", "green", "smoke"):
            self.step(name)
        for check in self.plan.checks:
            if check.kind is Kind.STEP and check.step in {"initiate", "migrate", "green", "smoke"}:
                self.observe(check)
        self.shift(10)
        self.serve(10, weight=10)
        self.look("watch 10 % #0", 10)
        return self

    def fall(self) -> "Played":
        """A release that fails a third of its requests, rolled back by the guard."""
        self.lift_off()
        self.serve(12, weight=10, green_fails=2)
        text = "Roll back by a1: evidence that green fails more than 5 % of its requests; green failed 12."
        self.look("watch 10 % #1", 10, "rollback", rule="a1", text=text, at=T0 + self.t - 0.2)
        self.add("rollback.done", {"rule": "a1", "text": text, "seconds": 0.061})
        self.t += 3
        self.add("rollback.seen", {"blue": 238, "failed": 0, "green": 0, "seconds": 3})
        proof = {"digest": f"sha256:{BLUE}", "as_before": True, "weight": 100, "up": True}
        self.add("rollback.proved", proof | {"smoke_failures": [], "schema_compatible": True})
        self.add("side.stopped", {"side": "green", "sessions": 0})
        cost = {"requests": 600, "failed": 12, "failed_on_blue": 0, "failed_on_green": 12}
        ended = {"outcome": "rolled-back", "rule": "a1", "text": text, "at": T0 + self.t, "blue": proof}
        self.add("launch.ended", ended | cost | {"failed_on_neither": 0})
        return self

    def traffic(self) -> Traffic:
        """The requests so far, counted."""
        traffic = Traffic(GuardLimits())
        traffic.take(self.trace)
        return traffic

    def picture(self, after: float = 0.0, *, planned: bool = True) -> Picture:
        """What the page shows some seconds after the newest event."""
        told = Told(self.events, unbroken=True, plan=self.plan if planned else None, traffic=self.traffic())
        return picture(told, T0 + self.t + after)

    async def keep(self, home: Path) -> Path:
        """Write it where a launch keeps its record, its trace and its plan; the folder."""
        folder = home / "launches" / LAUNCH
        folder.mkdir(parents=True, exist_ok=True)
        await self.keep_on(folder)
        (folder / "plan.yaml").write_bytes(PLAN.read_bytes())
        return folder

    async def keep_on(self, folder: Path) -> None:
        """Write what was added since."""
        engine = connect(f"sqlite:///{folder / 'launch.db'}")
        store = RecordStore(engine)
        await store.prepare()
        for entry in self.entries:
            await store.append_once(LAUNCH, entry)
        engine.dispose()
        lines = (json.dumps(render(item)) + "\n" for item in self.trace)
        (folder / "trace.jsonl").write_text("".join(lines))
