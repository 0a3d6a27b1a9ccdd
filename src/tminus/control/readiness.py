"""Run checks, keep what was seen, give verdicts.

Called by the countdown when lines fall due, by the poll for what has grown stale, and by the launch for its success
criteria. Whether a gate opens is `domain.decision`'s word.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tminus.control.heard import criteria
from tminus.control.ports import Clock, Json, Observer, Record
from tminus.domain.attempts import in_force
from tminus.domain.attestation import NOT_APPLICABLE, claim_data
from tminus.domain.canonical import JsonValue
from tminus.domain.course import Course, course_of
from tminus.domain.evidence import Claim, Observation, Source, Verdict, fingerprint, matter, worst
from tminus.domain.expectation import judge
from tminus.domain.overdue import ITEM, LACKING, for_the_rollout, harmless, late, why
from tminus.domain.plan import Check, Kind
from tminus.domain.record import OPENED, Event
from tminus.domain.timeline import in_attempt
from tminus.domain.words import ATTESTED
from tminus.errors import InconclusiveError, OutOfSequenceError, TminusError

OBSERVED = "check.observed"
"""The event of one observation of one line."""
CLAIMS = frozenset({OBSERVED, ATTESTED})
"""The events that make a claim."""

SECONDS = 180.0
"""The time limit of one probe. A release that is tried on a busy machine, politely, takes a minute or two; whoever does
not answer at all is given up on much sooner, by the limits of single calls."""

AT_ONCE = 2
"""How many probes run side by side unless somebody says otherwise; more would measure each other, and take from users
what they measure."""


Allowed = Callable[[Course], None]
"""Raises where a launch does not stand so that something may be recorded."""


class SpokenError(OutOfSequenceError):
    """The record went on while a person's line was looked at; what went on may be their word."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What running one check gave, before it is recorded."""

    verdict: Verdict
    why: str
    source: Source
    observation: Observation


class Readiness:
    """Observes the lines of one launch's plan, so many side by side, and records what it saw."""

    def __init__(
        self,
        checks: Iterable[Check],
        record: Record,
        observer: Observer,
        clock: Clock,
        *,
        at_once: int = AT_ONCE,
    ) -> None:
        self._checks = tuple(checks)
        self._at_once = at_once
        self._record = record
        self._observer = observer
        self._clock = clock

    async def claims(self) -> dict[str, Claim]:
        """The newest claim of each line that counts in the present attempt, from the record."""
        return self._standing(await self._record.events())

    @staticmethod
    def _standing(events: Sequence[Event]) -> dict[str, Claim]:
        found = claims_of(in_force(events))
        opened = bool(events) and events[0].type == OPENED
        return (
            in_attempt(course_of(events), found) if opened else found
        )  # outside a launch there is no attempt

    async def observe(
        self, checks: Iterable[Check], moment: str, allowed: Allowed | None = None
    ) -> dict[str, Verdict]:
        """Observe these lines now and record each; roll-ups last, since they are made of the others.

        `moment` is part of each event's key, so that a step that runs again after a crash records nothing twice. Raises
        what `allowed` raises for where the launch stands when a line is recorded.
        """
        seen: dict[str, Verdict] = {}
        wanted = tuple(checks)
        waiting = iter([check for check in wanted if check.kind is not Kind.ROLLUP])

        async def in_turn() -> None:
            for check in waiting:
                seen[check.id] = await self._one(check, moment, allowed)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._at_once, len(wanted))):
                    group.create_task(in_turn())
        except BaseExceptionGroup as raised:
            ours, others = raised.split(TminusError)
            if ours is None or others is not None:
                raise
            # One word for all: they say the same, and whoever calls knows what to do with it.
            raise _first(ours) from raised
        for check in wanted:
            if check.kind is Kind.ROLLUP:
                finding = self._roll_up(check, await self.claims())
                seen[check.id] = await self._record_finding(check, finding, moment, allowed)
        return {check.id: seen[check.id] for check in wanted}

    async def for_the_rollout(self, verdicts: Mapping[str, Verdict]) -> dict[str, str]:
        """What these verdicts mean for the rollout, see `overdue.for_the_rollout`; with all harm that people saw.

        That counts, in time or not, also where nobody waits for the line any more.
        """
        events = await self._record.events()
        newest = self._newest(events)
        spoken = criteria(self._checks) & newest.keys()
        failed = [name for name in spoken if _verdict(newest[name]) is Verdict.FAILED]
        absent = [name for name in failed if harmless(_seen(newest[name]))]
        known = {name: claim.verdict for name, claim in self._standing(events).items()}
        told = for_the_rollout(self._checks, {**known, **verdicts}, absent)
        return {name: told[name] for name in {*verdicts, *failed} if name in verdicts or name not in absent}

    @staticmethod
    def _newest(events: Sequence[Event]) -> dict[str, Event]:
        """The newest claim of each line that no new date has voided."""
        return {str(event.data["check"]): event for event in in_force(events) if event.type in CLAIMS}

    async def _one(self, check: Check, moment: str, allowed: Allowed | None) -> Verdict:
        """Look at a line and record it; of a person's line, as long as nobody speaks of it meanwhile."""
        if check.kind is not Kind.PERSON or check.simulated:
            return await self._record_finding(check, await self._look(check), moment, allowed)
        while True:
            events = await self._record.events()
            finding = self._unspoken(check, events)
            if isinstance(finding, Verdict):
                return finding
            try:
                return await self._record_finding(
                    check, finding, moment, _nobody_spoke(check, events, allowed)
                )
            except SpokenError:
                continue  # the word is in the record now: what it says is read again

    def _unspoken(self, check: Check, events: Sequence[Event]) -> Finding | Verdict:
        """What is to be recorded of a person's line, or the verdict that stands: a look takes no word back."""
        newest, opened = self._newest(events).get(check.id), bool(events) and events[0].type == OPENED
        overdue = opened and bool(late(check, events, self._clock.now()))
        if newest is not None and (_verdict(newest).known or not overdue):
            return _verdict(newest)  # said, or looked for already: nothing is new
        if not overdue:
            return self._attested(check)
        said = {_seen(event).get(ITEM) for event in _words(events, check)}
        lacking = [item for item in check.each if item not in said]
        material: Json = {"owner": check.owner, LACKING: [*lacking]}
        return Finding(
            Verdict.FAILED, why(check, lacking), Source.PERSON, Observation(None, material, material)
        )

    async def conclude(self, step: str, finding: Finding, moment: str) -> None:
        """Record a launch step's own reading as the verdict of every line that is about that step."""
        for check in self._checks:
            if check.step == step and not check.probe:
                await self._record_finding(check, finding, moment)

    async def _look(self, check: Check) -> Finding:
        if check.kind is Kind.PERSON:
            return self._attested(check)
        if check.kind is Kind.NOT_APPLICABLE:
            return Finding(Verdict.PASSED, check.note, Source.PLAN, Observation(check.note))
        finding = await self._probe(check, check.arguments or {})
        if finding.verdict in {Verdict.PASSED, Verdict.WARNED} and check.control is not None:
            return await self._controlled(check, finding)
        return finding

    @staticmethod
    def _attested(check: Check) -> Finding:
        """A simulated person's word; a real person has to give it, and until then nothing is known."""
        if check.simulated:
            said = Observation(
                check.note, {"person": check.person}, {"person": check.person, "note": check.note}
            )
            return Finding(Verdict.PASSED, f"{check.person}: {check.note}", Source.SIMULATED, said)
        why = f"{check.owner} has not attested it: {check.note}"
        return Finding(Verdict.INCONCLUSIVE, why, Source.PERSON, Observation(None))

    async def _probe(self, check: Check, arguments: Mapping[str, JsonValue]) -> Finding:
        assert check.expect is not None  # noqa: S101 - the plan reader demands it of every probed line
        try:
            async with asyncio.timeout(SECONDS):
                observation = await self._observer.observe(check, arguments)
        except InconclusiveError as error:
            return Finding(Verdict.INCONCLUSIVE, f"{error}; {error.hint}", Source.PROBE, Observation(None))
        except TminusError as error:
            return Finding(Verdict.ERROR, f"{error}; {error.hint}", Source.PROBE, Observation(None))
        except TimeoutError:
            why = f"{check.probe} gave no answer within {SECONDS:g} s; see whether its system is overloaded"
            return Finding(Verdict.ERROR, why, Source.PROBE, Observation(None))
        return _judged(check, observation, judge(observation.value, check.expect, check.warn))

    async def _controlled(self, check: Check, finding: Finding) -> Finding:
        """Let the same expectation judge what must fail; a check that cannot fail has shown nothing."""
        control = await self._probe(check, {**(check.arguments or {}), **(check.control or {})})
        if control.verdict is Verdict.FAILED:
            seen = {**finding.observation.seen, "control": control.observation.value}
            observation = replace(finding.observation, seen=seen)
            return Finding(finding.verdict, finding.why, finding.source, observation)
        why = f"its negative control came out {control.verdict} instead of failed ({control.why}), so it proves nothing"
        return Finding(Verdict.INCONCLUSIVE, why, Source.PROBE, finding.observation)

    def _roll_up(self, check: Check, claims: Mapping[str, Claim]) -> Finding:
        missing = [part for part in check.of if part not in claims]
        if missing:
            why = f"never observed: {', '.join(missing)}"
            return Finding(Verdict.INCONCLUSIVE, why, Source.ROLLUP, Observation(None))
        verdict = worst([claims[part].verdict for part in check.of])
        parts: dict[str, JsonValue] = {part: claims[part].verdict.value for part in check.of}
        prints: dict[str, JsonValue] = {part: claims[part].fingerprint for part in check.of}
        return Finding(
            verdict,
            f"the worst of {', '.join(parts)}",
            Source.ROLLUP,
            Observation(verdict.value, parts, prints),
        )

    async def _record_finding(
        self, check: Check, finding: Finding, moment: str, allowed: Allowed | None = None
    ) -> Verdict:
        """Record what was seen; the verdict that stands in the record, which may be that of an earlier try."""
        expect = check.expect.text if check.expect else ""
        observation = finding.observation
        claim = Claim(
            check=check.id,
            verdict=finding.verdict,
            fingerprint=fingerprint(finding.verdict, expect, observation.material),
            source=finding.source,
            at=self._clock.now(),
            t=0.0,
            why=finding.why,
            not_applicable=check.kind is Kind.NOT_APPLICABLE,
        )
        data: Json = {
            **claim_data(claim),
            "text": check.text,
            "value": observation.value,
            "expect": expect,
            "why": finding.why,
            "seen": dict(observation.seen),
            "material": dict(observation.material),
            "observed_at": claim.at,
        }
        key = f"check:{check.id}@{moment}"
        if allowed is None:
            return _verdict(await self._record.append_once(key, OBSERVED, data))
        return _verdict(await self._record.append_while(allowed, key, OBSERVED, data))


def _nobody_spoke(check: Check, events: Sequence[Event], allowed: Allowed | None) -> Allowed | None:
    """What a launch allows, and only while nothing was recorded since: a word that came meanwhile is not written over.

    Outside a launch nobody speaks.
    """
    if not events or events[0].type != OPENED:
        return allowed
    last = events[-1].seq

    def judged(course: Course) -> None:
        if allowed is not None:
            allowed(course)
        if course.seq != last:
            raise SpokenError(f"the record went on while {check.id} was looked at", hint="look again")

    return judged


def _words(events: Sequence[Event], check: Check) -> list[Event]:
    return [one for one in in_force(events) if one.type == ATTESTED and one.data["check"] == check.id]


def _seen(event: Event) -> Mapping[str, object]:
    seen = event.data.get("seen")
    return seen if isinstance(seen, dict) else {}


def _first(group: BaseExceptionGroup[TminusError]) -> TminusError:
    """One of the errors in a group of groups."""
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def claims_of(events: Iterable[Event]) -> dict[str, Claim]:
    """The newest claim of each line in these events."""
    found: dict[str, Claim] = {}
    for event in events:
        if event.type in CLAIMS:
            found[str(event.data["check"])] = _claim(event)
    return found


def _verdict(event: Event) -> Verdict:
    told = str(event.data["verdict"])
    return Verdict.PASSED if told == NOT_APPLICABLE else Verdict(told)


def _claim(event: Event) -> Claim:
    data = event.data
    observed_at = data["observed_at"]
    assert isinstance(observed_at, int | float)  # noqa: S101 - _record_finding() wrote it
    return Claim(
        check=str(data["check"]),
        verdict=_verdict(event),
        fingerprint=str(data["fingerprint"]),
        source=Source(str(data["source"])),
        at=observed_at,
        t=(event.t_ms or 0) / 1000,
        why=str(data["why"]),
        not_applicable=data["verdict"] == NOT_APPLICABLE,
    )


def _judged(check: Check, observation: Observation, verdict: Verdict) -> Finding:
    """What an observation comes to: remarks warn of what passed, and stand in the fingerprint of what is warned."""
    if observation.worse and verdict in {Verdict.PASSED, Verdict.WARNED}:
        why = f"{observation.worse}; {check.hint}" if check.hint else observation.worse
        return Finding(Verdict.FAILED, why, Source.PROBE, observation)
    if not observation.remarks or verdict not in {Verdict.PASSED, Verdict.WARNED}:
        return Finding(verdict, _sentence(check, observation, verdict), Source.PROBE, observation)
    remarks: tuple[str, ...] = observation.remarks
    if verdict is Verdict.WARNED:
        remarks = (_sentence(check, observation, verdict), *remarks)
    material = {**observation.material, "remarks": matter(observation.remarks)}
    return Finding(Verdict.WARNED, "; ".join(remarks), Source.PROBE, replace(observation, material=material))


def _sentence(check: Check, observation: Observation, verdict: Verdict) -> str:
    """The value beside the limit; what to do when it is not as expected."""
    assert check.expect is not None  # noqa: S101 - only probed lines come here
    limit = check.warn if verdict is Verdict.WARNED and check.warn else check.expect
    words = f"{limit.in_unit(observation.value) or shown(observation.value)}, expected {limit.text}"
    if verdict is Verdict.PASSED:
        return _passed(observation, words, limit.text)
    return f"{words}; {check.hint}" if check.hint else words


def _passed(observation: Observation, words: str, limit: str) -> str:
    """What a line that passed has shown: its fact, else its figures."""
    if not observation.fact:
        return ("nothing wrong" if observation.value == [] else words) + facts(observation.seen)
    return observation.fact if observation.value == [] else f"{observation.fact}, expected {limit}"


def facts(seen: Mapping[str, JsonValue], length: int = 90) -> str:
    """The short facts among what was seen, in brackets; nothing when there are none."""
    told = ", ".join(
        f"{name} {_brief(value)}" for name, value in seen.items() if isinstance(value, str | int | float)
    )
    return f" ({told[:length]}{'…' if len(told) > length else ''})" if told else ""


def _brief(value: JsonValue) -> str:
    text = shown(value)
    return text if len(text) <= 24 else f"{text[:19]}…"


def shown(value: JsonValue) -> str:
    """A value as one short text."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "nothing" if not value else "; ".join(shown(item) for item in value[:5])
    return str(value)
