"""`attest`, `waive`, `sign` and `decide` as people type them, while no worker runs."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from typer.testing import CliRunner, Result

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.cli.app import app
from tminus.cli.clock import now
from tminus.control.approval import Approval
from tminus.control.launchtime import LaunchTime
from tminus.control.readiness import Readiness
from tminus.domain.agenda import Date
from tminus.domain.course import course_of
from tminus.domain.evidence import Observation
from tminus.domain.record import Event
from tminus.domain.rollout import State
from tminus.domain.timeline import LaunchClock
from tminus.engine.memory import MemoryEngine
from tminus.errors import TminusError
from tminus.signing import People, load_trust, trust_path
from tminus.store import RecordStore, connect
from tminus.testing import FakeClock, Fate, ScriptedObserver
from tminus.wiring import LaunchRecord, SystemClock
from tminus.wiring.opening import kept

DIGEST = "sha256:" + "ab" * 32
PEOPLE = {"lead": "Lena Ortiz", "devops": "Dario Voss", "qa": "Quentin Mbeki"}
UNTIL = (datetime.fromtimestamp(now(), UTC) + timedelta(hours=3)).isoformat(timespec="seconds")
WISH = ("--reason", "it is ill", "--risk", "pages", "--compensating", "we watch", "--until", UNTIL)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a launch that opens its poll within the hour, and a key for each of its people."""
    return office(tmp_path, monkeypatch, small_plan.REAL)


@pytest.fixture
def blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same; that the site is up is a blocker."""
    plan = small_plan.REAL.replace(
        "      line: The site is up\n", "      line: The site is up\n      severity: blocker\n"
    )
    return office(tmp_path, monkeypatch, plan)


@pytest.fixture
def early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same of a launch that has two days to go, and a person with a key and no role."""
    home = office(tmp_path, monkeypatch, small_plan.REAL, hours=48)
    for name, role in (("Ada Stone", "devops"), ("Bo Lind", "qa")):
        done("key", "new", name, "--role", role)
        done("trust", "add", name)
    return home


def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: str, hours: float = 1) -> Path:
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMINUS_PASSPHRASE", "correct horse battery")
    monkeypatch.delenv("TMINUS_DATABASE_URL", raising=False)
    # The poll is opened as soon as a test wants it.
    (tmp_path / "plan.yaml").write_text(f"{plan}decision: {{valid: 2h}}\n", encoding="utf-8")
    when = (datetime.fromtimestamp(now(), UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")
    launch = ("launch", str(tmp_path / "plan.yaml"), "--release", f"depot={DIGEST}", "--t0", when)
    assert typed(*launch, "--environment", "canary").exit_code == 0
    for role, person in PEOPLE.items():
        assert typed("key", "new", person, "--role", role).exit_code == 0
        assert typed("trust", "add", person).exit_code == 0
    return tmp_path / "home"


def typed(*words: str, answer: str = "y\n") -> Result:
    return CliRunner().invoke(app, list(words), input=answer, env={"COLUMNS": "200"})


def done(*words: str, **more: Any) -> str:
    ended = typed(*words, **more)
    assert ended.exit_code == 0, (ended.output, ended.exception)
    return ended.output


def refused(*words: str, **more: Any) -> str:
    ended = typed(*words, **more)
    assert isinstance(ended.exception, TminusError), ended.output
    return f"{ended.exception}; {ended.exception.hint}"


def launch_of(home: Path) -> str:
    return asyncio.run(_launches(home))[0]


def url(home: Path) -> str:
    return f"sqlite:///{home / 'tminus.db'}"


def events(home: Path, kind: str = "") -> list[Event]:
    found, _ = asyncio.run(kept(url(home), launch_of(home)))
    return [event for event in found if not kind or event.type == kind]


def polled(home: Path, seen: Callable[[], Observation] = lambda: Observation([])) -> None:
    """What a worker does: observe every line that GO judges, and open the poll."""

    async def work() -> None:
        (launch,) = await _launches(home)
        opened, plan = await kept(url(home), launch)
        course = course_of(opened)
        time = LaunchTime(SystemClock(), LaunchClock(course.t0, 1.0))
        store = connect(url(home))
        record = LaunchRecord(RecordStore(store), launch, time)
        observer = ScriptedObserver(default=seen())
        observer.controls["site.up"] = Observation(["a control must fail"])
        readiness = Readiness(plan.checks, record, observer, SystemClock())
        await readiness.observe(plan.before_go(), "now")
        steps = MemoryEngine({}, FakeClock(), Fate()).steps(launch)
        approval = Approval(plan, steps, record, None, time)
        approval.date = Date(course.attempt, course.holds)
        if course.phase is State.COUNTING:
            await approval.poll(launch, readiness)
        store.dispose()

    asyncio.run(work())


async def _launches(home: Path) -> list[str]:
    store = connect(url(home))
    try:
        return [row.id for row in await RecordStore(store).launches()]
    finally:
        store.dispose()


def test_the_owner_s_word_is_signed_and_counts(home: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers.txt"
    answers.write_text("all six", encoding="utf-8")
    said = done(
        "attest",
        "canary",
        "team.ready",
        "--statement",
        "all answered",
        "--evidence",
        str(answers),
    )
    assert "team.ready is passed: Lena Ortiz: all answered" in said
    (event,) = events(home, "check.attested")
    seen: Any = event.data["seen"]
    assert (seen["person"], seen["version"], seen["file"]) == ("Lena Ortiz", 1, "answers.txt")
    file = home / "launches" / launch_of(home) / "evidence" / seen["sha256"]
    assert file.read_text(encoding="utf-8") == "all six"
    assert "is failed" in done("attest", "canary", "team.ready", "--statement", "one left", "--fails")
    polled(home)
    claims: Any = events(home, "poll.opened")[0].data["evidence"]
    assert {row["check"]: row["verdict"] for row in claims["claims"]}["team.ready"] == "failed"


def test_what_is_no_word_is_refused(home: Path) -> None:
    assert "a statement is missing" in refused("attest", "canary", "team.ready", "--statement", "  ")
    assert "is observed, not attested" in refused("attest", "canary", "site.up", "--statement", "it is up")
    assert "is no line of this plan" in refused("attest", "canary", "mars", "--statement", "x")
    theirs = refused("attest", "canary", "team.ready", "--statement", "x", "--role", "qa")
    assert "Quentin Mbeki as qa may not attest" in theirs
    assert "who could: Lena Ortiz as lead" in theirs
    assert "is no role of this plan" in refused(
        "attest", "canary", "team.ready", "--statement", "x", "--role", "god"
    )
    gone = refused("attest", "canary", "team.ready", "--statement", "x", "--evidence", str(home / "none"))
    assert "cannot be read" in gone
    assert len(events(home)) == 1


def test_a_key_that_does_not_count_is_refused_before_anything_is_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = ("attest", "canary", "team.ready", "--statement", "x")
    monkeypatch.setenv("TMINUS_PASSPHRASE", "not the passphrase")
    assert "does not open" in refused(*word)
    (key,) = [key for key in load_trust(trust_path(home)).keys if key.name == "Lena Ortiz"]
    done("trust", "retire", key.keyid[:8])
    assert "has the key of Lena Ortiz for lead" in refused(*word)
    for file in (home / "keys" / "people").glob("lena-ortiz.*"):
        file.unlink()
    assert "this machine has no key of theirs" in refused(*word)
    trust_path(home).unlink()
    assert "trusts nobody's key yet" in refused(*word)
    assert len(events(home)) == 1
    assert People(home).of("Lena Ortiz") == []


def test_evidence_of_an_address_is_fetched_once_and_its_secrets_stay_out(home: Path) -> None:
    asked: list[str] = []

    async def attest() -> None:
        async def answer(request: web.Request) -> web.Response:
            asked.append(request.query_string)
            return web.Response(text="all six", status=200 if request.path == "/log" else 404)

        site = web.Application()
        site.add_routes([web.get("/{path}", answer)])
        runner = web.AppRunner(site, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        word = ("attest", "canary", "team.ready", "--statement", "x", "--evidence")
        said = await asyncio.to_thread(done, *word, f"{base}/log?token=canary-secret")
        assert f"evidence {base}/log sha256:" in said
        assert "answers 404" in await asyncio.to_thread(refused, *word, f"{base}/none")
        await runner.cleanup()

    asyncio.run(attest())
    assert asked[0] == "token=canary-secret"
    assert "holds a login" in refused(
        "attest", "canary", "team.ready", "--statement", "x", "--evidence", "http://me:secret@127.0.0.1/"
    )
    assert not any(b"canary-secret" in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_a_waiver_takes_two_persons_and_stands_in_the_text_that_is_signed(home: Path) -> None:
    done("attest", "canary", "team.ready", "--statement", "all answered")
    asked = done("waive", "canary", "site.up", "--role", "lead", *WISH)
    assert "counts once another approves" in asked
    assert not events(home, "check.waived")
    own = refused("waive", "canary", "site.up", "--role", "devops", "--approve")
    assert "who could: Quentin Mbeki as qa" in own, "neither who asked nor the line's owner"
    assert "asked for by Lena Ortiz" in done("waive", "canary", "site.up", "--role", "qa", "--approve")
    polled(home, lambda: Observation(["down"]))
    shown = done("sign", "canary", "go", "--role", "qa")
    assert "waived     site.up" in shown
    (event,) = events(home, "signoff.given")
    assert event.data["decision"] == "go"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("site.up", "--role", "lead", *WISH[2:]), "a reason is missing"),
        (("site.up", "--role", "lead", *WISH[:-1], "2019-01-01T00:00:00Z"), "cannot end at 2019"),
        (("site.up", "--role", "lead", *WISH[:-1], "2099-01-01T00:00:00Z"), "cannot end at 2099"),
        (("site.up", "--role", "lead", *WISH[:-1], "soon"), "no time with a zone"),
        (("t0.smoke", "--role", "lead", *WISH), "is a blocker"),
        (("sign.devops", "--role", "lead", *WISH), "is not judged by GO"),
        (("site.up", "--role", "lead", "--approve"), "nobody has requested"),
        (("site.up", "--role", "lead", "--approve", *WISH), "an approval is of what was asked for"),
    ],
)
def test_a_waiver_that_may_not_be_is_refused(home: Path, words: tuple[str, ...], why: str) -> None:
    assert why in refused("waive", "canary", *words)
    assert len(events(home)) == 1


def test_signing_shows_what_is_signed_asks_and_says_what_has_changed(home: Path) -> None:
    early = refused("sign", "canary", "go", "--role", "qa")
    assert "sign makes no sense now: the launch is counting; it makes sense in: polling" in early
    done("attest", "canary", "team.ready", "--statement", "all answered")
    polled(home)
    assert "is neither go nor no-go" in refused("sign", "canary", "maybe", "--role", "qa")
    assert "may not sign" in refused("sign", "canary", "go", "--role", "lead")
    assert "nothing was signed" in refused("sign", "canary", "go", "--role", "qa", answer="n\n")
    first = done("sign", "canary", "go", "--role", "qa")
    assert "this role has not signed in this poll" in first
    assert "lacks      DevOps Lead said nothing" in first
    assert "omitted    1 of 6 lines are not in this plan" in first
    done("attest", "canary", "team.ready", "--statement", "one is ill", "--fails")
    again = done("sign", "canary", "no-go", "--role", "qa", "--yes")
    assert "since      team.ready: passed, now failed" in again
    assert [event.data["decision"] for event in events(home, "signoff.given")] == ["go", "no-go"]
    assert len(events(home, "poll.renewed")) == 1


def test_go_is_refused_with_the_exact_list_and_given_when_nothing_is_missing(home: Path) -> None:
    done("attest", "canary", "team.ready", "--statement", "all answered")
    polled(home)
    done("sign", "canary", "go", "--role", "devops")
    missing = refused("decide", "canary", "go", "--text", "all is well")
    assert missing.startswith("GO is refused:\n  - QA Lead said nothing;")
    assert "that is for a role that decides" in refused(
        "decide", "canary", "go", "--text", "x", "--role", "qa"
    )
    done("sign", "canary", "go", "--role", "qa")
    assert "after GO it will end as aborted at T-0" in done("decide", "canary", "go", "--text", "all is well")
    found, _ = asyncio.run(kept(url(home), launch_of(home)))
    assert course_of(found).phase is State.GO
    late = refused("decide", "canary", "no-go", "--text", "x", "--reason", "people", "--unscheduled")
    assert "makes no sense now: the launch is go" in late


def test_a_warned_blocker_is_acknowledged_by_somebody_else_before_go(blocked: Path) -> None:
    word = ("acknowledge", "canary", "site.up", "--reason", "slow, not wrong", "--role")
    assert "site.up is pending, not warned" in refused(*word, "qa")
    done("attest", "canary", "team.ready", "--statement", "all answered")
    polled(blocked, lambda: Observation([], remarks=("it was slow",)))
    own = refused(*word, "devops")
    assert "Dario Voss as devops may not acknowledge a warning" in own
    assert "who could: Lena Ortiz as lead, Quentin Mbeki as qa" in own
    shown = done("sign", "canary", "go", "--role", "devops")
    assert "warned     site.up," in shown
    done("sign", "canary", "go", "--role", "qa")
    missing = refused("decide", "canary", "go", "--text", "all is well")
    assert "site.up is a blocker and warned (it was slow" in missing
    typed_words = f'tminus acknowledge {launch_of(blocked)} site.up --role … --reason "…"'
    assert f"{typed_words} (who could: Lena Ortiz as lead or Quentin Mbeki as qa)" in missing
    (need,) = [
        one for one in json.loads(done("status", "canary", "--json"))["needs"] if "acknowledgement" in one
    ]
    assert (need["check"], need["acknowledgement"]["command"]) == ("site.up", typed_words)
    assert [one["role"] for one in need["acknowledgement"]["able"]] == ["lead", "qa"]
    assert "GO waits until somebody acknowledges: it was slow" in done("status", "canary")
    assert "a reason is missing" in refused(*word[:4], " ", "--role", "qa")
    assert "needs no acknowledgement" in refused(*word[:2], "team.ready", *word[3:], "qa")
    assert "acknowledged by Quentin Mbeki: slow, not wrong" in done(*word, "qa")
    assert "GO waits until somebody acknowledges" not in done("status", "canary")
    shown = done("decide", "canary", "go", "--text", "all is well")
    assert "warned     site.up (acknowledged)" in shown
    assert len(events(blocked, "signoff.given")) == 2, "nobody was asked to sign again"


def test_no_go_needs_a_reason_and_a_date_or_the_word_that_there_is_none(home: Path) -> None:
    no_go = ("decide", "canary", "no-go", "--text", "a test is red")
    assert "needs a category" in refused(*no_go, "--unscheduled")
    assert "a new T-0, or the word that there is none" in refused(*no_go, "--reason", "release")
    assert "no time with a zone" in refused(*no_go, "--reason", "release", "--t0", "later")
    assert "takes no reason" in refused("decide", "canary", "go", "--text", "x", "--unscheduled")
    assert len(events(home)) == 1
    said = done(*no_go, "--reason", "release", "--t0", UNTIL)
    assert f"NO-GO is decided; T-0 is {UNTIL[:19]}.000Z" in said
    found, _ = asyncio.run(kept(url(home), launch_of(home)))
    assert course_of(found).attempt == 2
    assert "NO-GO is decided" in done(*no_go, "--reason", "people", "--unscheduled")
    ended = done("scrub", "canary", "--reason", "not this year")
    assert typed("verify", ended.split("record: ")[1].strip()).exit_code == 0


def test_what_others_said_moves_nobody_s_cursor(home: Path) -> None:
    assert "\x1b" not in done("attest", "canary", "team.ready", "--statement", "all \x1b[2J well", "--fails")
    polled(home)
    shown = done("sign", "canary", "go", "--role", "devops")
    assert "team.ready" in shown
    assert "\x1b" not in shown


TOKEN = f"ghp_{'Canary7f3a' * 3}"


@pytest.mark.parametrize(
    "words",
    [
        ("attest", "canary", "team.ready", "--statement", f"cloned with {TOKEN}"),
        ("waive", "canary", "site.up", "--role", "lead", *WISH[2:], "--reason", TOKEN),
        ("hold", "canary", "--reason", f"the token is {TOKEN}"),
        ("decide", "canary", "no-go", "--reason", "people", "--unscheduled", "--yes", "--text", TOKEN),
    ],
)
def test_a_secret_that_is_typed_is_refused_and_repeated_nowhere(home: Path, words: tuple[str, ...]) -> None:
    said = refused(*words)
    assert "what you say holds a GitHub token" in said
    assert TOKEN not in said
    assert len(events(home)) == 1


@pytest.mark.parametrize(
    "content", [f"a log\n{TOKEN}\n", "-----BEGIN PRIVATE KEY-----\nx", "at http://me:pw@host/"]
)
def test_evidence_that_holds_a_secret_is_refused_and_not_kept(
    home: Path, tmp_path: Path, content: str
) -> None:
    shown = tmp_path / "run.log"
    shown.write_text(content, encoding="utf-8")
    word = ("attest", "canary", "team.ready", "--statement", "seen", "--evidence", str(shown))
    assert "what you show holds" in refused(*word)
    assert not any(content.encode() in path.read_bytes() for path in home.rglob("*") if path.is_file())
    named = shown.rename(tmp_path / TOKEN)
    named.write_text("a log", encoding="utf-8")
    assert "the name of what you show holds a GitHub token" in refused(*word[:-1], str(named))


def test_a_role_is_delegated_before_t_24h_and_then_another_person_acts_for_it(early: Path) -> None:
    word = ("delegate", "canary", "--reason", "on leave", "--role", "devops", "--to")
    assert "Quentin Mbeki holds another role; who could act as devops: Ada Stone" in refused(
        *word, "Quentin Mbeki"
    )
    assert "Bo Lind has no key for devops in the trust root" in refused(*word, "Bo Lind")
    assert "a reason is missing" in refused(*word[:3], " ", *word[4:], "Ada Stone")
    said = done(*word, "ada  stone")
    assert "Ada Stone acts as devops in this launch" in said
    assert "nobody can tell them anything: " in said
    (event,) = events(early, "role.delegated")
    assert (event.data["by"], event.data["to"]) == ("Dario Voss", "Ada Stone")
    assert "'ada at shop' is no mail address" in refused(*word, "Ada Stone", "--email", "ada at shop")
    done(*word, "Ada Stone", "--email", "ada@shop.example")
    assert events(early, "role.delegated")[1].data["email"] == "ada@shop.example"
    wish = ("--reason", "ill", "--risk", "r", "--compensating", "c", "--until", UNTIL)
    done("waive", "canary", "site.up", "--role", "devops", *wish)
    assert events(early, "waiver.requested")[0].data["by"] == "Ada Stone"
    done(*word, "Dario Voss")
    done("waive", "canary", "site.up", "--role", "devops", *wish)
    assert events(early, "waiver.requested")[1].data["by"] == "Dario Voss"


def test_after_t_24h_and_once_the_poll_is_open_a_role_stays_whose_it_is(home: Path) -> None:
    word = ("delegate", "canary", "--reason", "on leave", "--role", "devops", "--to", "Ada Stone")
    late = refused(*word)
    assert "devops could be delegated until T-24h, which was" in late
    assert "Dario Voss acts as devops; a later T-0 lets it be delegated again" in late
    done("attest", "canary", "team.ready", "--statement", "all answered")
    polled(home)
    assert "delegate a role makes no sense now: the launch is polling" in refused(*word)


def test_who_acts_for_a_role_signs_for_it_after_the_date_was_brought_forward(early: Path) -> None:
    done("delegate", "canary", "--reason", "on leave", "--role", "devops", "--to", "Ada Stone")
    soon = (datetime.fromtimestamp(now(), UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    done("reschedule", soon, "canary", "--reason", "sooner")
    done("attest", "canary", "team.ready", "--statement", "all answered")
    polled(early)
    done("sign", "canary", "go", "--role", "devops")
    done("sign", "canary", "go", "--role", "qa")
    assert {event.data["person"] for event in events(early, "signoff.given")} == {
        "Ada Stone",
        "Quentin Mbeki",
    }
    assert "GO is decided" in done("decide", "canary", "go", "--text", "all is well")


@pytest.fixture
def each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A launch whose lead has to speak of two teams, with what shows it."""
    word = "attest: everybody answered"
    plan = small_plan.REAL.replace(word, f"{word}, each: [core, edge], shown: true")
    assert plan != small_plan.REAL
    return office(tmp_path, monkeypatch, plan, hours=1.5)


def test_a_line_that_asks_for_several_is_said_one_by_one_each_with_its_file(
    each: Path, tmp_path: Path
) -> None:
    word = ("attest", "canary", "team.ready", "--statement", "all six")
    files = [tmp_path / name for name in ("core.txt", "edge.txt")]
    for file in files:
        file.write_text(f"seen in {file.name}\n", encoding="utf-8")
    assert "say it --of one of: core, edge" in refused(*word, "--evidence", str(files[0]))
    assert "no picture and no values are shown" in refused(*word, "--of", "core")
    said = done(*word, "--of", "core", "--evidence", str(files[0]))
    assert "team.ready is inconclusive: Lena Ortiz of core: all six; nobody has spoken yet of edge" in said
    assert "core.txt was shown for core already" in refused(
        *word, "--of", "edge", "--evidence", str(files[0])
    )
    said = done(*word, "--of", "edge", "--evidence", str(files[1]))
    assert "team.ready is passed: Lena Ortiz of edge: all six" in said
    seen = [event.data["seen"] for event in events(each, "check.attested")]
    assert [one["item"] for one in seen if isinstance(one, dict)] == ["core", "edge"]
