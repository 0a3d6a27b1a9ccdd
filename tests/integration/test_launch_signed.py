"""A real worker and people with keys of their own: lines attested and waived, five signatures, GO, NO-GO, a record."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.test_launch_workers import DIGEST, Yard, yard_at
else:
    from test_launch_workers import DIGEST, Yard, yard_at

from tminus.domain.canonical import timestamp
from tminus.domain.course import course_of
from tminus.domain.expedition import expedited
from tminus.domain.orders import Act, Category, Order
from tminus.domain.record import Event
from tminus.domain.report import Report
from tminus.domain.rollout import State
from tminus.domain.trust import KeyKind, TrustedKey
from tminus.domain.words import Request
from tminus.errors import OutOfSequenceError, RecordError, RefusedError
from tminus.planfile import load
from tminus.processes import wait_until
from tminus.signing import People, Signer, enrol, load_trust, trust_path, verify_file
from tminus.wiring import SystemClock
from tminus.wiring.acts import Choose, Desk, Hand, Scene, Shown, approve_waiver, request_waiver
from tminus.wiring.attesting import attest
from tminus.wiring.expediting import ask, confirm
from tminus.wiring.opening import Wanted, kept, open_launch
from tminus.wiring.orders import give
from tminus.wiring.polling import Verdict, decide, sheet, sign
from tminus.wiring.shown import evidence_of
from tminus.wiring.shown import kept as evidence_kept

pytestmark = pytest.mark.slow

PLAN = Path(__file__).with_name("people_plan.yaml")
SECRET = "correct horse battery"
SIGNERS = ("devops", "engineering", "security", "qa", "cto")
GO = Verdict(go=True, text="all is well")


@dataclass
class Team:
    """Six people, each with a key of their own, and one launch."""

    yard: Yard
    launch: str
    hands: dict[str, Hand] = field(default_factory=dict)

    async def enrol(self) -> None:
        """Make everybody's key and have this machine trust it."""
        _, plan = await kept(self.yard.url, self.launch)
        people = People(self.yard.home)
        for role in plan.roles:
            public = people.new(role.person, [role.id], SECRET)
            key = TrustedKey(public.keyid, role.person, KeyKind.PERSON, (role.id,))
            enrol(trust_path(self.yard.home), key)
            self.hands[role.id] = Hand(role, people.open(public, SECRET))

    async def scene(self) -> Scene:
        events, plan = await kept(self.yard.url, self.launch)
        return Scene(self.launch, plan, tuple(events), SystemClock().now())

    async def act(self, choose: Choose) -> list[Event]:
        _, plan = await kept(self.yard.url, self.launch)
        trust = load_trust(trust_path(self.yard.home))
        return await Desk(self.yard.url, self.launch, plan, trust, SystemClock()).do(choose)

    async def attest(self, log: Path) -> None:
        """Everybody's word for the lines that ask for one; the blocker's by two persons, with a file."""
        said = "everybody answered"
        await self.act(attest(self.hands["lead"], "team.ready", said, Shown(), holds=True))
        shown = await evidence_kept(evidence_of(self.yard.home, self.launch, ""), str(log))
        for role in ("devops", "qa"):
            await self.act(attest(self.hands[role], "rb.tested", "rolled back in 4 s", shown, holds=True))

    async def waive(self, t0: float) -> None:
        """The release notes may come later: asked for by one, approved by another."""
        about = Request(
            "", "", "", "", "the writer is ill", "users ask", "we answer", timestamp(t0 + 3600), ""
        )
        await self.act(request_waiver(self.hands["qa"], "notes.out", about))
        await self.act(approve_waiver(self.hands["cto"], "notes.out"))

    async def sign(self, role: str, word: str = "go") -> None:
        root = sheet(await self.scene(), role).root
        await self.act(sign(self.hands[role], word, "", root))

    async def decide(self, verdict: Verdict) -> None:
        root = sheet(await self.scene(), "lead").root
        await self.act(decide(self.hands["lead"], verdict, root))

    async def polling(self) -> None:
        """Wait until the poll of the present date is open."""
        log = self.yard.log("w1")

        async def open_now() -> bool:
            return (await self.scene()).course.phase is State.POLLING

        await wait_until(open_now, 120, "the poll to open", log=log)

    async def another_date(self, seconds: float) -> float:
        scene = await self.scene()
        t0 = SystemClock().now() + seconds
        order = Order(f"date {t0}", Act.RESCHEDULE, "Lena Ortiz", "everybody is here", new_t0=t0)
        await give(self.yard.url, self.launch, order, scene.plan, SystemClock())
        return t0

    def record(self) -> Path:
        return self.yard.home / "launches" / self.launch / "record.jsonl"

    async def proved(self) -> Report:
        trust = load_trust(trust_path(self.yard.home))
        return await asyncio.to_thread(verify_file, self.record(), trust)


async def team(yard: Yard, environment: str) -> Team:
    t0 = datetime.fromtimestamp(SystemClock().now() + 3500, UTC).isoformat()
    words = (
        "launch",
        str(PLAN),
        "--release",
        f"shop={DIGEST}",
        "--t0",
        t0,
        "--environment",
        environment,
        "--json",
    )
    code, said = await yard.typed(*words)
    assert code == 0, said
    found = Team(yard, str(json.loads(said)["launch"]))
    await found.enrol()
    return found


async def go(found: Team, log: Path, seconds: float) -> bool:
    """Attest, waive, sign and decide GO for a date so far away; whether T-0 came first, on a machine that is busy."""
    t0 = await found.another_date(seconds)
    try:
        await found.attest(log)
        await found.waive(t0)
        await found.polling()
        for role in SIGNERS:
            await found.sign(role)
        await found.decide(GO)
    except (OutOfSequenceError, TimeoutError):
        return False
    return True


async def test_five_people_sign_and_the_launch_goes_as_far_as_it_can(tmp_path: Path) -> None:
    log = tmp_path / "rehearsal.log"
    log.write_text("rolled back in 4 s\n", encoding="utf-8")
    async with yard_at(f"sqlite:///{tmp_path / 'tminus.db'}", tmp_path) as yard:
        found = await team(yard, "staging")
        await yard.work("w1")
        await found.yard.recorded(found.launch, "gate.judged")
        seconds = 20.0
        while not await go(found, log, seconds):
            seconds *= 2
            assert seconds < 1000, "this machine is too slow"
        await yard.recorded(found.launch, "launch.ended")
        await yard.says("w1", "has ended: aborted")
        report = await found.proved()
        assert (report.trusted, report.outcome, report.simulated) == (True, "aborted", False)
        assert {vote.role: vote.decision for vote in report.sign_offs} == dict.fromkeys(SIGNERS, "go")
        assert report.decision is not None
        assert (report.decision.person, report.decision.decision) == ("Lena Ortiz", "go")
        events = await yard.events(found.launch)
        assert "names no target" in str(events[-2].data["text"])
        assert not {"decision.proposed" if seconds == 20.0 else "", "step.started"} & {e.type for e in events}
        (digest,) = report.evidence
        shown = found.record().parent / "evidence" / digest
        shown.write_text("rolled back in 400 s\n", encoding="utf-8")
        with pytest.raises(RecordError, match=r"evidence rehearsal\.log was swapped"):
            await found.proved()
        shown.unlink()
        assert "is not beside the record" in (await found.proved()).notes[-1]


async def test_no_go_gives_a_new_date_and_what_may_not_be_is_refused(tmp_path: Path) -> None:
    async with yard_at(f"sqlite:///{tmp_path / 'tminus.db'}", tmp_path) as yard:
        found = await team(yard, "canary")
        await yard.work("w1")
        await found.another_date(600.0)
        await found.polling()
        await found.sign("qa", "no-go")
        with pytest.raises(RefusedError) as refused:
            await found.decide(GO)
        for words in (
            "notes.out is failed",
            "team.ready is unknown",
            "QA Lead said no-go",
            "CTO said nothing",
        ):
            assert words in str(refused.value)
        with pytest.raises(RefusedError, match="that is for a role that decides"):
            await found.act(decide(found.hands["cto"], GO, ""))
        with pytest.raises(RecordError, match="a stranger signed this"):
            await found.act(
                sign(Hand(found.hands["cto"].role, Signer.generate()), "go", "", await _root(found))
            )
        t0 = SystemClock().now() + 3000
        await found.decide(
            Verdict(go=False, text="notes are missing", category=Category.READINESS, new_t0=t0)
        )
        course = course_of(await yard.events(found.launch))
        assert (course.phase, course.attempt, round(course.t0 or 0)) == (State.COUNTING, 3, round(t0))
        code, said = await yard.typed("scrub", "canary", "--reason", "the test is over")
        assert code == 0, said
        report = await found.proved()
        assert (report.trusted, report.outcome, report.sign_offs) == (True, "scrubbed", ())
        made = [event.data for event in await yard.events(found.launch) if event.type == "decision.made"]
        assert [(data["decision"], data["by"], data["category"]) for data in made] == [
            ("no-go", "Lena Ortiz", "readiness")
        ]


async def test_a_worker_counts_down_the_short_form_that_two_persons_have_asked_for(tmp_path: Path) -> None:
    short = """expedited:
  omitted: [{reason: a hotfix has no release notes, lines: [notes.out]}]
  milestones: {T-1h: T-30min}
"""
    (tmp_path / "plan.yaml").write_text(PLAN.read_text(encoding="utf-8") + short, encoding="utf-8")
    loaded = load(tmp_path / "plan.yaml")
    plan = loaded.checked()
    roles = {role.id: role for role in plan.roles}
    path = expedited(plan, "a token leaks", roles["devops"], roles["security"])
    async with yard_at(f"sqlite:///{tmp_path / 'tminus.db'}", tmp_path) as yard:
        release = {"shop": DIGEST.removeprefix("sha256:")}
        wish = Wanted(loaded, "staging", release, SystemClock().now() + 600, {}, path)
        found = Team(yard, (await open_launch(yard.url, wish, SystemClock())).launch)
        await found.enrol()
        await yard.work("w1")
        await found.polling()
        log = tmp_path / "rehearsal.log"
        log.write_text("rolled back in 4 s\n", encoding="utf-8")
        await found.attest(log)
        for role in SIGNERS:
            await found.sign(role)
        with pytest.raises(RefusedError, match="expedited, which Dario Voss has not signed"):
            await found.decide(GO)
        await found.act(ask(found.hands["devops"], path))
        await found.act(confirm(found.hands["security"]))
        await found.decide(GO)
        code, said = await yard.typed("abort", "staging", "--reason", "the test is over")
        assert code == 0, said
        await yard.recorded(found.launch, "launch.ended")
        await yard.says("w1", "has ended: aborted")
        report = await found.proved()
        assert (report.trusted, report.omitted, report.lines) == (True, 1, 10)
        seen = {event.data.get("check") for event in await yard.events(found.launch)}
        assert ("site.up" in seen, "notes.out" in seen) == (True, False)


async def _root(found: Team) -> str:
    return sheet(await found.scene(), "cto").root
