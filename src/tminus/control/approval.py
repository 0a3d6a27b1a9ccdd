"""The poll and the decision: show the evidence, collect five signatures, decide GO or NO-GO.

The rule stands in `domain.decision`; here it is acted upon. GO is refused while the gate is closed, whoever asks.
"""

from collections.abc import Awaitable, Callable

from tminus.control.countdown import CONTROL
from tminus.control.launchtime import LaunchTime
from tminus.control.ports import Json, Record, Signatory, Steps, recorded
from tminus.control.readiness import Readiness
from tminus.domain.agenda import Date
from tminus.domain.attestation import (
    Decision,
    EvidenceRoot,
    SignOff,
    decision_statement,
    evidence_root,
    sign_off_statement,
)
from tminus.domain.canonical import timestamp
from tminus.domain.course import DECIDED, PROPOSED, Course, course_of
from tminus.domain.decision import GateResult, standing
from tminus.domain.evidence import Claim
from tminus.domain.permission import Deed, Matter, could
from tminus.domain.plan import Check, Plan, Role
from tminus.domain.poll import evidence_of, go_gate, refusals, shown, unacknowledged
from tminus.domain.record import Event
from tminus.domain.validity import expired
from tminus.domain.words import ACKNOWLEDGED, Acknowledgement, acknowledged_row, word_statement
from tminus.errors import OutOfSequenceError

TOPIC = "decision"
"""Where the person who decides leaves the word; a message on `CONTROL` beside it wakes the launch."""
HEARD_AT_ONCE = "orders are heard while the decision is asked for"
"""The change since which a launch that asks listens to orders too; one that asked before it hears them afterwards."""


class _MeanwhileError(OutOfSequenceError):
    """Something was recorded between the look at the evidence and the poll over it."""


class Approval:
    """One launch's poll and decision."""

    def __init__(
        self, plan: Plan, engine: Steps, record: Record, signatory: Signatory | None, time: LaunchTime
    ) -> None:
        self._plan = plan
        self._engine = engine
        self._record = record
        self._signatory = signatory
        self._time = time
        self.date = Date(1, 0)
        """For which date of the launch it works; a new date is a new poll."""

    async def freshen(self, readiness: Readiness) -> None:
        """Observe again what has grown stale or is not known, so that the poll shows what is true now."""

        async def act() -> Json:
            claims = await readiness.claims()
            again = [
                check
                for check in self._plan.before_go()
                if self._wants_another_look(check, claims.get(check.id))
            ]
            verdicts = await readiness.observe(again, self.date.key("poll"), self.date.stands)
            return {check: verdict.value for check, verdict in verdicts.items()}

        await self._engine.step(self.date.key("observe again before the poll"), act)

    def _wants_another_look(self, check: Check, claim: Claim | None) -> bool:
        stands = standing(check, claim, self._time.now())
        return stands in {"pending", "unknown", "stale"} and check.fresh.kind != "event"

    async def poll(self, launch: str, readiness: Readiness) -> None:
        """Open the poll over the evidence as it is now, and let every signing role sign.

        Without a signatory it only opens: real people sign by themselves, and until then their word is missing.
        """

        async def open_it() -> Json:
            if self._signatory is not None:
                await self._acknowledge(launch, readiness, self._signatory)
            while True:
                try:
                    return {"root": (await self._opened(readiness)).data["root"]}
                except _MeanwhileError:
                    # What people are shown must be what is recorded before it, all of it: look again.
                    continue

        await self._engine.step(self.date.key("open the poll"), open_it)
        if self._signatory is None:
            return
        for role in self._plan.roles:
            if role.signs:
                signing = self._signing(launch, role, readiness, self._signatory)
                await self._engine.step(self.date.key(f"sign as {role.id}"), signing)

    async def _acknowledge(self, launch: str, readiness: Readiness, signatory: Signatory) -> None:
        """Simulated people acknowledge what is warned on a blocker, as real ones have to before GO.

        Nothing is said in the name of a real person who has not said it: where only they could, GO waits for them.
        """
        events, claims = await self._record.events(), await readiness.claims()
        for check in unacknowledged(self._plan, events, claims, self._time.now()):
            claim = claims[check.id]
            able = [role for role in could(Deed.ACKNOWLEDGE, self._plan, Matter(check)) if role.simulated]
            for role in able[:1]:
                word = Acknowledgement(
                    launch=launch,
                    check=check.id,
                    role=role.id,
                    person=role.person,
                    because=f"seen: {claim.why}",
                    fingerprint=claim.fingerprint,
                    signed_at=timestamp(self._time.now()),
                    simulated=role.simulated,
                )
                envelope = signatory.sign(role.id, word_statement(word, events[0].digest))
                data: Json = {**acknowledged_row(word), "envelope": envelope}
                await self._append(self.date.runs, f"acknowledge:{check.id}", ACKNOWLEDGED, data)

    async def _opened(self, readiness: Readiness) -> Event:
        events = await self._record.events()
        evidence = evidence_of(self._plan, events, await readiness.claims())
        data: Json = {"evidence": evidence.document(), "root": evidence_root(evidence)[1]}

        def unmoved(course: Course) -> None:
            self.date.runs(course)
            if course.seq != events[-1].seq:
                raise _MeanwhileError("something was recorded meanwhile", hint="look again")

        return await self._append(unmoved, "poll", "poll.opened", data)

    def _signing(
        self, launch: str, role: Role, readiness: Readiness, signatory: Signatory
    ) -> Callable[[], Awaitable[Json]]:
        """A simulated person's way to sign: look at the gate, say go when it is open and no-go when it is not."""

        async def act() -> Json:
            evidence = await self._polled()
            result = await self.gate(readiness)
            word = "go" if result.open else "no-go"
            sign_off = SignOff(
                launch=launch,
                role=role.id,
                person=role.person,
                decision=word,
                signed_at=timestamp(self._time.now()),
                note=_note(result),
                simulated=role.simulated,
            )
            envelope = signatory.sign(role.id, sign_off_statement(sign_off, evidence))
            data: Json = {
                "role": role.id,
                "person": role.person,
                "title": role.title,
                "simulated": role.simulated,
            }
            data |= {"decision": word, "note": sign_off.note, "envelope": envelope}
            given = await self._append(self.date.stands, f"sign:{role.id}", "signoff.given", data)
            return {"decision": given.data["decision"]}

        return act

    async def _append(self, allowed: Callable[[Course], None], name: str, kind: str, data: Json) -> Event:
        """Record what holds for this date only; what is recorded, which may be what an earlier try said."""
        key = self.date.key(name)
        return await recorded(self._record, key) or await self._record.append_while(allowed, key, kind, data)

    async def _polled(self) -> EvidenceRoot:
        evidence = shown(await self._record.events())
        if evidence is None:
            raise OutOfSequenceError(
                "no poll is open", hint="it opens when the last milestone before T-0 is reached"
            )
        return evidence

    async def gate(self, readiness: Readiness) -> GateResult:
        """How the GO gate stands now: every required line due before T-0, fresh, in one sample."""
        return go_gate(self._plan, await self._record.events(), await readiness.claims(), self._time.now())

    async def ask(self, minutes: float) -> Json:
        """Wait for the word of the person who decides; nobody's word is NO-GO.

        Raises `OutOfSequenceError` as soon as a person's order has overtaken the question: a hold, a new date, an end.
        """
        until = await self._engine.now() + minutes * 60
        if await self._engine.patched(HEARD_AT_ONCE):
            word = await self._heard(until)
        else:
            word = await self._engine.receive(TOPIC, until)
        return word or {"decision": "no-go", "reason": f"nobody decided within {minutes:g} minutes"}

    async def _heard(self, until: float) -> Json | None:
        """The word that comes by an instant; whoever gives it, or an order, wakes the launch by the topic of orders."""
        woken, looks = True, 0
        while woken:
            word = await self._engine.receive(TOPIC, 0.0)
            looks += 1
            await self._engine.step(self.date.key(f"see whether it is still asked, {looks}"), self._asked)
            if word is not None:
                return word
            woken = await self._engine.receive(CONTROL, until) is not None
        return await self._engine.receive(TOPIC, 0.0)

    async def _asked(self) -> Json:
        """Raise `OutOfSequenceError` unless the decision is still to be made for this date."""
        self.date.runs(course_of(await self._record.events()))
        return {}

    async def decide(self, launch: str, wish: Json, readiness: Readiness) -> str:
        """Record the decision that was wished for, or NO-GO with the exact list where GO is not allowed."""
        signatory = self._signatory
        assert signatory is not None  # noqa: S101 - nobody's decision is only proposed

        async def act() -> Json:
            evidence = await self._polled()
            refused = await self._refusals(readiness)
            word = "go" if wish["decision"] == "go" and not refused else "no-go"
            reason = f"GO is refused: {'; '.join(refused)}" if refused else str(wish.get("reason", ""))
            role = next(role for role in self._plan.roles if role.decides)
            decision = Decision(
                launch=launch,
                role=role.id,
                person=role.person,
                decision=word,
                signed_at=timestamp(self._time.now()),
                reason=reason,
                simulated=role.simulated,
            )
            statement = decision_statement(decision, evidence.release, evidence_root(evidence)[1])
            data: Json = {"decision": word, "by": role.person, "role": role.id, "simulated": role.simulated}
            data |= {"reason": reason, "envelope": signatory.sign(role.id, statement)}
            made = await self._append(self.date.runs, "decision", DECIDED, data)
            return {"decision": made.data["decision"]}

        return str((await self._engine.step(self.date.key("decide"), act))["decision"])

    async def propose(self, readiness: Readiness, lacks: str) -> str:
        """Record at T-0 that nobody decided GO, with everything that keeps it from being given; signed by nobody.

        `lacks` is what keeps the launch itself from going, empty where nothing does. The word is always NO-GO.
        """

        async def act() -> Json:
            decider = next(role for role in self._plan.roles if role.decides)
            reasons = [lacks] if lacks else []
            reasons += [*await self._refusals(readiness), f"{decider.title} has not decided"]
            data: Json = {"decision": "no-go", "reasons": [*reasons]}
            made = await self._append(self.date.runs, "proposal", PROPOSED, data)
            return {"decision": made.data["decision"]}

        return str((await self._engine.step(self.date.key("propose NO-GO"), act))["decision"])

    async def expire(self) -> None:
        """Record that the GO does not hold any more, unless somebody has ordered the launch otherwise meanwhile."""

        async def act() -> Json:
            why = expired(self._plan, course_of(await self._record.events()), self._time.now())
            if not why:
                return {"expired": False}

            def stands(course: Course) -> None:
                if course.attempt != self.date.attempt or not expired(self._plan, course, self._time.now()):
                    raise OutOfSequenceError("the launch stands otherwise by now", hint="see `tminus status`")

            data: Json = {"decision": "no-go", "reasons": [why]}
            try:
                await self._append(stands, "expiry", PROPOSED, data)
            except OutOfSequenceError:
                return {"expired": False}
            return {"expired": True}

        await self._engine.step(self.date.key("the GO has expired"), act)

    async def _refusals(self, readiness: Readiness) -> list[str]:
        events, claims = await self._record.events(), await readiness.claims()
        t = self._time.read() if self._time.launch.dated else None
        return refusals(self._plan, events, claims, self._time.now(), t)


def _note(result: GateResult) -> str:
    if result.obstacles:
        return f"{len(result.obstacles)} lines keep the gate closed, the first is {result.obstacles[0].check}"
    passed = f"{result.judged - len(result.warned)} of {result.judged} lines passed"
    return f"{passed}, warned: {', '.join(result.warned)}" if result.warned else passed
