"""What users of other tools complain about, one test for each complaint, numbered as in the catalogue of lines.

One real worker runs a launch for each test; six people with keys of their own type the commands. Who may is known
before the act (8): see the table's own tests. What needs systems of a stage (12, 13, 17, 20) is not among them.
"""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tminus import processes
from tminus.cli.app import app
from tminus.domain.course import Course, course_of
from tminus.domain.record import Event
from tminus.domain.rollout import State
from tminus.errors import PartError, TminusError
from tminus.store import RecordStore, connect
from tminus.wiring import SystemClock

pytestmark = pytest.mark.slow

PLAN = Path(__file__).parents[1] / "integration" / "people_plan.yaml"
DIGEST = f"sha256:{'ab' * 32}"
PEOPLE = {
    "lead": "Lena Ortiz",
    "devops": "Dario Voss",
    "engineering": "Emil Berg",
    "security": "Sofia Ricci",
    "qa": "Quentin Mbeki",
    "cto": "Chiyo Tanaka",
}
SIGNERS = tuple(role for role in PEOPLE if role != "lead")
WAITS = 120.0
"""Seconds that a worker may take for anything: twenty times what it takes on a machine at rest."""


class Site:
    """A web server whose answers a test chooses, by launch and path."""

    def __init__(self) -> None:
        answers: dict[str, int] = {}

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(answers.get(self.path, 200))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.answers = answers
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass
class Office:
    """A home with its database, its people's keys, a site, and a worker."""

    home: Path
    site: Site
    worker: subprocess.Popen[bytes] | None = None
    opened: int = 0

    def work(self) -> None:
        """Start the worker, and wait until it works."""
        log = self.home / "worker.log"
        before = log.stat().st_size if log.exists() else 0
        with log.open("ab") as out:
            command = [sys.executable, "-m", "tminus", "worker"]
            self.worker = subprocess.Popen(command, stdout=out, stderr=out)
        until(lambda: b"runs the launches of" in log.read_bytes()[before:], "the worker to work")

    def kill(self) -> None:
        """End the worker with -9."""
        assert self.worker is not None
        self.worker.kill()
        self.worker.wait()

    def open(self, seconds: float = 600.0, change: Callable[[str], str] = str) -> "Launch":
        """Open a launch in an environment of its own, with its own paths on the site."""
        self.opened += 1
        name = f"env{self.opened}"
        text = PLAN.read_text(encoding="utf-8").replace("/health", f"/{name}/health")
        plan = self.home / f"{name}.yaml"
        plan.write_text(change(text.replace("/notes", f"/{name}/notes")), encoding="utf-8")
        about = ("--release", f"shop={DIGEST}", "--t0", ahead(seconds), "--environment", name, "--json")
        return Launch(self, name, str(json.loads(done("launch", str(plan), *about))["launch"]))


@dataclass
class Launch:
    """One launch, known by its environment."""

    office: Office
    name: str
    id: str

    def events(self, kind: str = "") -> list[Event]:
        async def read() -> list[Event]:
            engine = connect(f"sqlite:///{self.office.home / 'tminus.db'}")
            try:
                return await RecordStore(engine).events(self.id)
            finally:
                engine.dispose()

        return [event for event in asyncio.run(read()) if not kind or event.type == kind]

    @property
    def course(self) -> Course:
        return course_of(self.events())

    def answers(self, path: str, status: int) -> None:
        self.office.site.answers[f"/{self.name}/{path}"] = status

    def polling(self) -> "Launch":
        until(lambda: self.course.phase is State.POLLING, f"the poll of {self.name}")
        return self

    def recorded(self, kind: str) -> Event:
        until(lambda: bool(self.events(kind)), f"{kind} of {self.name}")
        return self.events(kind)[-1]

    def attested(self) -> "Launch":
        """Everybody's word for the lines that ask for one; the blocker's by two."""
        done("attest", self.name, "team.ready", "--statement", "everybody answered")
        for role in ("devops", "qa"):
            done("attest", self.name, "rb.tested", "--statement", "back in 4 s", "--role", role)
        return self

    def signed(self, *roles: str) -> "Launch":
        for role in roles or SIGNERS:
            done("sign", self.name, "go", "--role", role, "--yes")
        return self

    def goes(self) -> str:
        """What `decide` says of GO."""
        return done("decide", self.name, "go", "--text", "all is well", "--yes")

    def goes_at(self) -> "Launch":
        """The same for a date that comes soon: a later one where T-0 came first, on a machine that is busy."""
        for seconds in (20, 60, 180):
            done("reschedule", ahead(seconds), self.name, "--reason", "everybody is here")
            try:
                self.attested().polling().signed().goes()
            except (AssertionError, PartError):
                if self.course.phase is not State.POSTPONED:
                    raise
            else:
                return self
        raise AssertionError("this machine is too slow")

    def refused(self) -> str:
        """What keeps GO from being given."""
        return refused("decide", self.name, "go", "--text", "all is well", "--yes")

    def waived(self, until_: str, *, by: str = "qa") -> "Launch":
        """The release notes may come later: asked for by one, approved by the CTO."""
        wish = ("--reason", "the writer is ill", "--risk", "users ask", "--compensating", "we answer")
        done("waive", self.name, "notes.out", "--role", by, *wish, "--until", until_)
        done("waive", self.name, "notes.out", "--role", "cto", "--approve")
        return self


def ahead(seconds: float) -> str:
    moment = datetime.fromtimestamp(SystemClock().now(), UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds")


def until(true: Callable[[], bool], what: str) -> None:
    async def seen() -> bool:
        return await asyncio.to_thread(true)

    asyncio.run(processes.wait_until(seen, WAITS, what))


def done(*words: str) -> str:
    ended = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
    assert ended.exit_code == 0, (words, ended.output, ended.exception)
    return ended.output


def refused(*words: str) -> str:
    ended = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
    assert isinstance(ended.exception, TminusError), (words, ended.output, ended.exception)
    return f"{ended.exception}\n{ended.exception.hint}"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home = tmp_path_factory.mktemp("office")
    site = Site()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMINUS_HOME", str(home))
        patch.setenv("TMINUS_PASSPHRASE", "correct horse battery")
        patch.setenv("SITE", site.address)
        patch.delenv("TMINUS_DATABASE_URL", raising=False)
        for role, person in PEOPLE.items():
            done("key", "new", person, "--role", role)
            done("trust", "add", person)
        office = Office(home, site)
        office.work()
        yield office
        office.kill()
        site.close()


def test_01_one_signature_covers_the_launch_and_a_material_change_voids_it(office: Office) -> None:
    launch = office.open().attested().polling().signed()
    done("attest", launch.name, "team.ready", "--statement", "one is ill", "--fails")
    until(lambda: len(launch.events("signoff.voided")) == len(SIGNERS), "every signature to be void")
    changes = launch.events("signoff.voided")[0].data["changes"]
    assert changes == ["team.ready: passed, now failed"]
    done("attest", launch.name, "team.ready", "--statement", "everybody answered")
    launch.signed().goes()
    assert launch.course.phase is State.GO, "nobody was asked a second time for any step"


def test_02_each_of_five_roles_is_needed_and_one_person_counts_once(office: Office) -> None:
    launch = office.open().attested().polling().signed("devops")
    missing = launch.refused()
    for title in ("Engineering Lead", "Security Lead", "QA Lead", "CTO"):
        assert f"{title} said nothing" in missing
    assert "DevOps Lead" not in missing
    twice = office.home / "twice.yaml"
    twice.write_text(PLAN.read_text(encoding="utf-8").replace("Chiyo Tanaka", "Dario Voss"), encoding="utf-8")
    told = refused("launch", str(twice), "--release", f"shop={DIGEST}", "--t0", ahead(600))
    assert "Dario Voss" in told
    assert "one person" in told


def test_03_what_was_approved_runs_by_itself(office: Office) -> None:
    launch = office.open(3000).goes_at()
    ended = launch.recorded("launch.ended")
    # There is no target to run it on, and that is what it says, at T-0, without a second start by anybody.
    assert ended.data["outcome"] == "aborted"
    assert "no target" in str(ended.data["text"])
    assert ended.t_ms is not None
    assert ended.t_ms >= 0


def test_04_every_word_is_in_the_record(office: Office) -> None:
    launch = office.open()
    launch.answers("notes", 500)
    done("hold", launch.name, "--reason", "coffee")
    done("resume", launch.name, "--reason", "it is drunk")
    done("reschedule", ahead(700), launch.name, "--reason", "the vendor is late")
    launch.attested().waived(ahead(3600)).polling().signed()
    launch.goes()
    done("abort", launch.name, "--reason", "the office burns")
    until(lambda: launch.course.over, "the end")
    kinds = {event.type for event in launch.events()}
    assert kinds >= {
        "clock.held",
        "clock.resumed",
        "launch.rescheduled",
        "check.attested",
        "waiver.requested",
        "check.waived",
        "signoff.given",
        "decision.made",
        "order.taken",
    }, kinds
    record = office.home / "launches" / launch.id / "record.jsonl"
    until(record.exists, "the sealed record")
    assert "The record is intact." in done("verify", str(record))


def test_05_a_bypass_needs_a_reason_and_a_second_person_and_no_blocker_has_one(office: Office) -> None:
    launch = office.open()
    launch.answers("notes", 500)
    wish = ("--risk", "users ask", "--compensating", "we answer", "--until", ahead(3600))
    assert "a reason is missing" in refused("waive", launch.name, "notes.out", "--role", "cto", *wish)
    done("waive", launch.name, "notes.out", "--role", "cto", "--reason", "the writer is ill", *wish)
    own = refused("waive", launch.name, "notes.out", "--role", "cto", "--approve")
    assert "Chiyo Tanaka as cto may not approve" in own
    assert "who could" in own
    blocker = refused("waive", launch.name, "rb.tested", "--role", "qa", "--reason", "no time", *wish)
    assert "rb.tested is a blocker: nobody may waive it" in blocker


def test_06_a_launch_may_wait_for_months_through_the_death_of_its_worker(office: Office) -> None:
    launch = office.open(90 * 86400)
    until(lambda: "is taken" in (office.home / "worker.log").read_text(), "the launch to be taken")
    before = launch.course.t0
    office.kill()
    office.work()
    done("hold", launch.name, "--reason", "is anybody there?")
    done("resume", launch.name, "--reason", "yes")
    assert launch.course.phase is State.COUNTING
    assert launch.course.t0 is not None
    assert before is not None
    done("reschedule", ahead(600), launch.name, "--reason", "sooner")
    launch.polling()


def test_07_forgotten_sign_offs_are_told_and_at_t_0_no_go_is_proposed(office: Office) -> None:
    launch = office.open(3000).attested()
    done("reschedule", ahead(8), launch.name, "--reason", "now or never")
    proposed = launch.recorded("decision.proposed")
    assert "CTO said nothing" in str(proposed.data["reasons"])
    assert "by" not in proposed.data, "nobody's name stands under it"
    told = launch.events("notice.raised")
    assert {event.data["to"] for event in told} & {"lead", "devops"}, [dict(e.data) for e in told]
    assert launch.course.phase is State.POSTPONED


def test_09_no_data_never_passes(office: Office) -> None:
    def away(text: str) -> str:
        return text.replace('address: "env:SITE"', 'address: "http://127.0.0.1:1"')

    launch = office.open(change=away).attested().polling().signed()
    seen = {event.data["check"]: event.data for event in launch.events("check.observed")}
    assert seen["site.up"]["verdict"] == "error"
    assert "site.up is unknown" in launch.refused()


def test_10_a_verdict_shows_both_values_and_11_a_red_line_says_what_to_do(office: Office) -> None:
    launch = office.open()
    launch.answers("health", 503)
    launch.answers("notes", 500)
    done("reschedule", ahead(700), launch.name, "--reason", "look again")

    def red() -> bool:
        seen = {event.data["check"]: event.data["verdict"] for event in launch.events("check.observed")}
        return seen.get("site.up") == "failed"

    until(red, "the red line")
    why = [str(e.data["why"]) for e in launch.events("check.observed") if e.data["check"] == "site.up"][-1]
    assert "503" in why
    assert "expected == 200" in why
    assert "look at its log" in why
    assert "look at its log" in launch.attested().polling().signed().refused()


def test_14_a_waiver_has_a_reason_an_approver_and_an_end_and_is_signed(office: Office) -> None:
    launch = office.open()
    launch.answers("notes", 500)
    launch.attested().waived(ahead(3600)).polling().signed()
    (evidence, *_) = [event.data["evidence"] for event in launch.events("poll.renewed")[-1:]] or [
        launch.events("poll.opened")[-1].data["evidence"]
    ]
    assert isinstance(evidence, dict)
    (row,) = _rows(evidence["waivers"])
    assert (row["check"], row["by"], row["approved_by"]) == ("notes.out", "Quentin Mbeki", "Chiyo Tanaka")
    assert row["because"] == "the writer is ill"
    assert "NO" not in launch.goes().split(" is decided")[0]
    other = office.open()
    other.answers("notes", 500)
    other.attested().waived(ahead(15)).polling().signed("devops")
    until(lambda: "notes.out is failed" in other.refused(), "the waiver to run out")
    forever = ("--reason", "r", "--risk", "r", "--compensating", "c", "--until", ahead(90 * 86400))
    assert "up to a day after T-0" in refused("waive", other.name, "notes.out", "--role", "qa", *forever)


def _rows(value: object) -> list[dict[str, Any]]:
    assert isinstance(value, list)
    return [dict(row) for row in value]


def test_15_no_other_way_of_deploying_goes_round_a_go(office: Office) -> None:
    file = office.home / "clearance.json"
    wish = ("--release", f"shop={DIGEST}")
    early = office.open()
    assert "needs GO, and T-0" in refused("clearance", early.name)
    early.attested().polling().signed().goes()
    assert "needs GO, and T-0" in refused("clearance", early.name), "GO alone clears nothing before T-0"
    done("abort", early.name, "--reason", "the office burns")
    until(lambda: early.course.over, "the end")
    assert "no GO stands" in refused("clearance", early.id)

    launch = office.open(3000).goes_at()
    done("clearance", launch.name, "--wait", "--out", str(file))
    assert f"by the GO of {launch.id}" in done("admit", str(file), *wish, "--environment", launch.name)
    other = refused("admit", str(file), "--release", f"shop=sha256:{'cd' * 32}", "--environment", launch.name)
    assert "is not cleared" in other
    assert f"for {launch.name}, not for" in refused("admit", str(file), *wish, "--environment", "production")
    text = file.read_text()
    file.write_text(text.replace('"sig":"', '"sig":"AAAA'))
    assert "signature" in refused("admit", str(file), *wish, "--environment", launch.name)
    file.write_text("[]")
    assert "there is no envelope" in refused("admit", str(file), *wish, "--environment", launch.name)
    file.write_text(text)
    strangers = office.home / "strangers.json"
    strangers.write_text('{"keys":[],"version":1}')
    told = refused("admit", str(file), *wish, "--environment", launch.name, "--trust", str(strangers))
    assert "not in the trust root" in told


def test_16_a_freeze_is_overridden_by_a_second_person_with_a_reason_and_both_are_recorded(
    office: Office,
) -> None:
    def frozen(text: str) -> str:
        return f"{text}\nfreezes: [{{name: Year end, from: {ahead(7200)[:19]}Z, to: {ahead(86400)[:19]}Z}}]\n"

    launch = office.open(change=frozen)
    into = (ahead(10_000), launch.name, "--reason", "a security fix")
    assert "would lie in a freeze, Year end" in refused("reschedule", *into)
    assert "is nobody of this plan" in refused("reschedule", *into, "--override-by", "Mickey Mouse")
    done("reschedule", *into, "--override-by", "Chiyo Tanaka")
    moved = launch.events("launch.rescheduled")[-1].data
    assert moved["freeze"] == "Year end"
    assert moved["override"] == {"by": "Chiyo Tanaka", "reason": "a security fix"}


def test_18_the_report_is_ready_at_the_end_without_anybody_s_hours(office: Office) -> None:
    launch = office.open().attested().polling().signed()
    done("scrub", launch.name, "--reason", "the test is over")
    record = office.home / "launches" / launch.id / "record.jsonl"
    until(record.exists, "the sealed record")
    report = json.loads(done("verify", str(record), "--json"))
    assert report["outcome"] == "scrubbed"
    assert {vote["person"] for vote in report["sign_offs"]} == set(PEOPLE.values()) - {"Lena Ortiz"}


def test_19_who_approves_is_a_key_and_not_a_word_that_is_typed(office: Office) -> None:
    launch = office.open().attested().polling()
    done("key", "new", "Mallory", "--role", "cto")
    done("trust", "add", "Mallory")
    assert "is no role of this plan" in refused("sign", launch.name, "go", "--role", "Chiyo Tanaka", "--yes")
    keys = office.home / "keys" / "people"
    (real,) = keys.glob("chiyo-tanaka.*.pem")
    hidden = real.rename(real.with_suffix(".hidden"))
    (mallory,) = keys.glob("mallory.*.pem")
    try:
        real.write_bytes(mallory.read_bytes())
        real.chmod(0o600)
        assert "is not the key that its public part names" in refused(
            "sign", launch.name, "go", "--role", "cto", "--yes"
        )
    finally:
        hidden.replace(real)
    assert [event.data["role"] for event in launch.events("signoff.given")] == []
