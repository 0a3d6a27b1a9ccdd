"""What people see: one plain line for each thing that happens."""

import json
import os
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from tminus.demo.screen import Screen
from tminus.demo.wording import _WRITERS, wording
from tminus.domain.evidence import Observation
from tminus.domain.record import NO_LINE, Event
from tminus.errors import UnreachableError

if TYPE_CHECKING:
    from tests.unit.launch_world import World
else:
    from launch_world import World

AT = "2026-11-23T10:00:00.000Z"
COUNTS = {
    "green": {"requests": 1200, "failed": 3, "slow": 1},
    "blue": {"requests": 2400, "failed": 0, "slow": 0},
}
GAUGES = {"counts": COUNTS, "tests": [{"rule": "a1", "evidence": 0.5, "threshold": 5000.0}], "triggers": []}
WHOLE = {"invariants": 4, "broken": [], "unseen": "", "text": "all 4 invariants of the data hold"}
BROKEN = {
    "invariants": 4,
    "broken": [{"invariant": "orphans", "expected": "== 0", "found": "3"}],
    "unseen": "",
    "text": "1 of 4 invariants of the data are broken: orphans: found 3, expected == 0",
}
UNSEEN = {"invariants": 4, "broken": [], "unseen": "no answer", "text": "the data is not observed: no answer"}
DECIDE = "traffic is back on blue, but that repairs no row: a person decides whether to restore a backup"
SHARE = {"set": 10, "green": 101, "total": 1000, "low": 0.076, "high": 0.125}
LATE = {
    "requests": 7654,
    **{f"failed{on}": 0 for on in ("", "_on_blue", "_on_green", "_on_neither")},
    "slow_ms": 2000.0,
    "slow": 11,
    "slow_on_blue": 0,
    "slow_on_green": 11,
    "slow_on_neither": 0,
}
ABORTED = {"green_percent": 10, "requests": 62, "failed": 0}
OPENED = {
    "launch": "depot-7",
    "plan": {"name": "depot", "digest": "a" * 64, "lines": 109, "production": False},
    "omitted": [{"check": "bk.vault", "reason": "none"}],
    "systems": {"website": "real", "slack": "stand-in"},
    "roles": [{"person": "Lena", "simulated": True}],
    "release": {"depot": "b" * 64},
    "previous": {"depot": "c" * 64},
    "schedule": {"speed": 20000.0},
    "by_hand": ["echo 'set weight web/green 0' | socat - [sock]"],
}


def event(kind: str, data: dict[str, Any], t_ms: int | None = -3_600_000) -> Event:
    return Event(0, NO_LINE, AT, t_ms, kind, "key", data)


def shown(*events: Event, width: int = 200, as_json: bool = False, terminal: bool = False) -> list[str]:
    out = StringIO()
    console = Console(
        file=out, width=width, highlight=False, soft_wrap=True, force_terminal=terminal, color_system=None
    )
    screen = Screen(console, as_json=as_json)
    for one in events:
        screen.show(one)
    return out.getvalue().splitlines()


LINES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("milestone.reached", {"milestone": "T-02:00:00", "lines": 4}, ["■ T-02:00:00  4 lines are due"]),
    ("milestone.reached", {"milestone": "T-02:00:00", "lines": 1}, ["■ T-02:00:00  1 line is due"]),
    (
        "metrics.measured",
        {"stage": "shift", "metrics": [{"metric": "sign-ups", "verdict": "passed", "taken": 3}]},
        ["✔ metrics of the shift; metrics sign-ups passed after 3"],
    ),
    (
        "check.observed",
        {
            "verdict": "passed",
            "check": "rb.images",
            "text": "Images",
            "source": "probe",
            "why": "nothing wrong",
        },
        ["✔ passed   rb.images         Images: nothing wrong"],
    ),
    (
        "check.observed",
        {"verdict": "error", "check": "a", "text": "A", "source": "simulated", "why": "w"},
        ["? unknown  a                 A (simulated person): w"],
    ),
    (
        "check.observed",
        {"verdict": "not-applicable", "check": "a", "text": "A", "source": "plan", "why": "w"},
        ["∅ n/a      a                 A: w"],
    ),
    ("gate.judged", {"open": True, "milestone": "T", "late": []}, []),
    (
        "gate.judged",
        {"open": False, "milestone": "T-24:00:00", "late": [{"check": "a", "standing": "failed"}]},
        ["✖ the gate of T-24:00:00 stays closed: a failed"],
    ),
    ("act.done", {"act": "back up", "failed": "no space"}, ["✖ back up failed: no space"]),
    (
        "act.done",
        {"act": "back up", "file": "f", "rows": 4000, "bytes": 9, "sha256": "d" * 64},
        ["✔ back up: f, 4,000 rows, 9 bytes, SHA-256 dddddddddddd…"],
    ),
    (
        "poll.opened",
        {"root": "e" * 64},
        ["■ poll  what is signed is all that was seen of the lines so far, SHA-256 eeeeeeeeeeeeeeee…"],
    ),
    (
        "signoff.given",
        {"decision": "go", "title": "QA Lead", "person": "Q", "simulated": True, "note": "all"},
        ["✔ GO       QA Lead           Q (simulated): all"],
    ),
    (
        "signoff.given",
        {"decision": "no-go", "title": "CTO", "person": "C", "simulated": False, "note": "no"},
        ["✖ NO-GO    CTO               C: no"],
    ),
    (
        "warning.acknowledged",
        {"check": "bk.db", "by": "Q", "role": "qa", "simulated": True, "because": "it took [long]"},
        ["✔ acknowledged bk.db, which is warned: Q (simulated) as qa: it took [long]"],
    ),
    (
        "decision.proposed",
        {"decision": "no-go", "reasons": ["CTO said nothing", "no target"]},
        ["■ NO GO  proposed, signed by nobody: CTO said nothing; no target"],
    ),
    ("decision.asked", {"minutes": 30}, ["■ GO or NO-GO? Your word, within 30 minutes"]),
    (
        "decision.made",
        {"decision": "go", "by": "Lena", "simulated": True, "reason": "all green"},
        ["■ GO  Lena (simulated): all green"],
    ),
    ("step.started", {"step": "migrate"}, ["→ migrate …"]),
    (
        "step.done",
        {"step": "shift 10", "seconds": 0.04, "set": 10, "read_back": 10},
        ["✔ shift 10: weight 10 % set, 10 % read back (0.0 s)"],
    ),
    (
        "traffic.seen",
        {"where": "watch 10 % #0", "action": "continue", "gauges": GAUGES, "share": SHARE},
        [
            (
                "· watch 10 % #0: weight 10 % set, 10.10% seen in 1,000 requests "
                "(99 % interval around 10 %: 7.60% to 12.50%); "
                "green 1,200 requests, 3 failed, 1 slow; blue 2,400, 0 failed; evidence a1 0.5 of 5,000"
            )
        ],
    ),
    (
        "traffic.seen",
        {
            "where": "watch 100 % #0",
            "action": "continue",
            "gauges": GAUGES,
            "share": {"set": 100, "green": 1000, "total": 1000, "low": 1.0, "high": 1.0},
        },
        [
            (
                "· watch 100 % #0: weight 100 % set, 100.00% seen in 1,000 requests; "
                "green 1,200 requests, 3 failed, 1 slow; blue 2,400, 0 failed; evidence a1 0.5 of 5,000"
            )
        ],
    ),
    (
        "step.done",
        {"step": "data", "seconds": 0.1, "invariants": 4, "floors": {"rows": 2000}},
        [
            "✔ data: all 4 invariants hold before the release has met it; rows: 2,000 at least from now on (0.1 s)"
        ],
    ),
    (
        "rollback.data",
        {**WHOLE, "backup": "b.dump", "decide": ""},
        ["✔ all 4 invariants of the data hold"],
    ),
    (
        "rollback.data",
        {**BROKEN, "backup": "", "decide": DECIDE},
        ["✖ 1 of 4 invariants of the data are broken: orphans: found 3, expected == 0"],
    ),
    (
        "launch.ended",
        {"outcome": "rolled-back", "requests": 4321, "failed": 0, "data": {**BROKEN, "decide": DECIDE}},
        ["■ ROLLED-BACK  0 of 4,321 requests through the proxy failed, until here", f"✖ DATA {DECIDE}"],
    ),
    (
        "launch.held",
        {"where": "10 %", "rule": "hold.blind", "text": "no lines"},
        ["‖ HELD 10 % by hold.blind: no lines"],
    ),
    ("order.taken", {"text": "Lena ordered resume: seen"}, ["■ Lena ordered resume: seen"]),
    ("clock.held", {"by": "Lena", "reason": "fire"}, ["‖ Lena stopped the clock: fire"]),
    (
        "clock.resumed",
        {"by": "Lena", "reason": "no fire", "t0": "2026-01-31T12:01:00.000Z"},
        ["■ Lena let the clock run again: no fire; T-0 is 2026-01-31T12:01:00.000Z"],
    ),
    (
        "launch.rescheduled",
        {"by": "Lena", "reason": "tired", "schedule": {"t0": "2026-02-01T12:00:00.000Z"}},
        ["■ Lena gave the launch another date: tired; T-0 is 2026-02-01T12:00:00.000Z"],
    ),
    (
        "notice.raised",
        {"to": "qa", "notice": "late", "checks": ["test.smoke", "test.load"]},
        ["• for qa (late): test.smoke, test.load"],
    ),
    (
        "rollback.done",
        {"text": "Roll back by a1: evidence", "seconds": 0.012},
        ["✖ ROLLBACK by a1: evidence", "✔ all traffic to blue, set and read back within 12 ms"],
    ),
    (
        "rollback.done",
        {"rule": "a1", "text": "Roll back by a1: evidence", "seconds": 0.012},
        [
            "✖ ROLLBACK by a1: evidence (counted up to the request that decided)",
            "✔ all traffic to blue, set and read back within 12 ms",
        ],
    ),
    (
        "rollback.told",
        {"by_hand": ["echo 0 > weight"]},
        ["· to roll back by hand, without tminus: echo 0 > weight"],
    ),
    (
        "rollback.seen",
        {"blue": 300, "failed": 0, "green": 0, "seconds": 3.0},
        ["✔ seen in traffic: 300 new requests answered by blue, 0 by green in 3 s"],
    ),
    (
        "change.made",
        {"change": "flag.search", "was": "off", "is": "on"},
        ["✔ flag.search was off and is on"],
    ),
    ("change.undone", {"change": "flag.search", "is": "off"}, ["✔ flag.search is off again"]),
    ("side.stopped", {"side": "green", "sessions": 0}, ["✔ green drained to 0 sessions and stopped"]),
    (
        "rollback.proved",
        {
            "as_before": True,
            "up": True,
            "schema_compatible": True,
            "digest": "sha256:1",
            "smoke_failures": [],
        },
        ["✔ blue runs sha256:1, the release from before; its smoke tests pass"],
    ),
    (
        "rollback.proved",
        {
            "as_before": True,
            "up": True,
            "schema_compatible": True,
            "digest": "sha256:1",
            "smoke_failures": [],
            "schema": "0002",
        },
        [
            "✔ blue runs sha256:1, the release from before; its smoke tests pass; the schema stays at 0002",
        ],
    ),
    (
        "rollback.proved",
        {
            "as_before": False,
            "up": True,
            "schema_compatible": False,
            "digest": "x",
            "smoke_failures": ["login"],
        },
        ["✖ blue runs x, ANOTHER RELEASE THAN BEFORE; its smoke tests FAIL: login"],
    ),
    (
        "launch.ended",
        {"outcome": "rolled-back", "requests": 4321, "failed": 12},
        ["■ ROLLED-BACK  12 of 4,321 requests through the proxy failed, until here"],
    ),
    (
        "launch.ended",
        {"outcome": "aborted", "text": "interrupted by the viewer", "after": "opened", **ABORTED},
        [
            (
                "■ ABORTED  interrupted by the viewer; green had 10 % of the traffic; 0 of 62 requests through the "
                "proxy failed, until here"
            )
        ],
    ),
    (
        "launch.ended",
        {
            "outcome": "rolled-back",
            "requests": 5335,
            "failed": 5,
            "failed_on_green": 5,
            "bad_seconds": 5.14,
            "blue": {"schema": "0002"},
        },
        [
            (
                "■ ROLLED-BACK  5 of 5,335 requests through the proxy failed (all on green), until here; "
                "5.1 s from green's first bad answer to all traffic on blue; the schema stays at 0002"
            )
        ],
    ),
    (
        "launch.ended",
        {"outcome": "rolled-back", "rule": "b1", "text": "slow", **LATE},
        [
            (
                "■ ROLLED-BACK  0 of 7,654 requests through the proxy failed, 11 answered later than 2 s "
                "(all on green), until here"
            )
        ],
    ),
    (
        "launch.ended",
        {"outcome": "landed", **LATE, "failed": 1, "failed_on_blue": 1, "slow": 12, "slow_on_neither": 1},
        [
            (
                "■ LANDED  1 of 7,654 requests through the proxy failed (on blue), 12 answered later than 2 s "
                "(11 on green, 1 on neither), until here"
            )
        ],
    ),
]


@pytest.mark.parametrize(
    ("look", "state", "words"),
    [
        (WHOLE, "clear", "data clear, 4 invariants hold"),
        (BROKEN, "breached", "data breached, 1 of 4 invariants are broken"),
        (UNSEEN, "not observed", "the data is not observed: no answer"),
    ],
)
def test_the_state_of_the_data_stands_behind_the_evidence(
    look: dict[str, Any], state: str, words: str
) -> None:
    gauges = {**GAUGES, "triggers": [{"trigger": "trig.corruption", "state": state}], "data": look}
    (line,) = shown(event("traffic.seen", {"where": "watch", "action": "continue", "gauges": gauges}))
    assert line.endswith(f"evidence a1 0.5 of 5,000; {words}")


@pytest.mark.parametrize(("kind", "data", "lines"), LINES)
def test_each_thing_that_happens_is_one_plain_line(kind: str, data: dict[str, Any], lines: list[str]) -> None:
    assert shown(event(kind, data)) == [f"T-01:00:00  {line}" for line in lines]


def test_every_kind_of_event_that_is_written_is_tested() -> None:
    assert {kind for kind, _, _ in LINES} | {"launch.opened"} == set(_WRITERS)


def test_an_opened_launch_says_what_is_launched_and_what_is_left_out() -> None:
    text = "\n".join(shown(event("launch.opened", OPENED)))
    for told in (
        "launch depot-7 of depot, plan aaaaaaaaaaaa",
        "1 of 109 lines are not in this plan, 108 are",
        "systems real: website; stand-in: slack",
        "people simulated: all 1",
        "sha256:cccccccccccc… serves, sha256:bbbbbbbbbbbb… is to be launched",
        "20000 times as fast",
    ):
        assert told in text


def test_a_real_viewer_among_simulated_people_is_named() -> None:
    roles = [{"person": "kim (viewer)", "simulated": False}, {"person": "Lena", "simulated": True}]
    text = "\n".join(shown(event("launch.opened", {**OPENED, "roles": roles})))
    assert "people real: kim (viewer); simulated: the other 1" in text


@pytest.mark.parametrize("as_json", [True, False])
def test_a_launch_goes_on_when_nobody_reads_its_output_any_more(
    as_json: bool,  # noqa: FBT001 - a column of the table
    capsys: pytest.CaptureFixture[str],
) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as out:
        screen = Screen(Console(file=out, color_system=None), as_json=as_json)
        screen.say("up")
        os.close(reading)
        for kind, data, _ in LINES:
            screen.show(event(kind, data))
        screen.say("down")
        screen.last("landed", "/record.jsonl")
        out.write("left in the buffer")
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "tminus: the output cannot be written (Broken pipe); the launch goes on",
        "outcome=landed record=/record.jsonl",
    ]


def test_what_people_need_not_see_is_not_shown() -> None:
    assert shown(event("checkpoint", {"envelope": {}})) == []
    assert shown(event("something.else", {})) == []


HOSTILE = "[red]not red[/] [/] [link=x] \\[ ["


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (
            "check.observed",
            {"verdict": "failed", "check": "a", "text": HOSTILE, "source": "probe", "why": HOSTILE},
        ),
        ("act.done", {"act": "back up", "failed": HOSTILE}),
        (
            "signoff.given",
            {"decision": "go", "title": "QA", "person": HOSTILE, "simulated": False, "note": HOSTILE},
        ),
        ("decision.made", {"decision": "go", "by": HOSTILE, "simulated": False, "reason": HOSTILE}),
        ("decision.proposed", {"decision": "no-go", "reasons": [HOSTILE]}),
        ("launch.held", {"where": "a", "rule": "b", "text": HOSTILE}),
        ("order.taken", {"text": HOSTILE}),
        ("clock.held", {"by": "Lena", "reason": HOSTILE}),
        ("clock.resumed", {"by": "Lena", "reason": HOSTILE, "t0": ""}),
        ("launch.rescheduled", {"by": "Lena", "reason": HOSTILE, "schedule": {"t0": ""}}),
        ("rollback.done", {"text": HOSTILE, "seconds": 0.1}),
        ("launch.ended", {"outcome": "no-go", "text": HOSTILE}),
    ],
)
def test_text_with_brackets_is_no_markup(kind: str, data: dict[str, Any]) -> None:
    assert HOSTILE in shown(event(kind, data))[0]


def test_a_program_reads_one_json_object_for_each_event() -> None:
    seen = [event(kind, data) for kind, data, _ in LINES]
    lines = shown(*seen, as_json=True, width=20)
    assert [json.loads(line)["type"] for line in lines] == [one.type for one in seen]
    assert json.loads(lines[0]) == {
        "seq": 0,
        "at": AT,
        "t_ms": -3_600_000,
        "type": "milestone.reached",
        "key": "key",
        "data": {"milestone": "T-02:00:00", "lines": 4},
    }


@pytest.mark.parametrize("terminal", [True, False])
def test_the_last_line_is_never_wrapped(terminal: bool) -> None:  # noqa: FBT001 - a column of the table
    out = StringIO()
    path = "/home/somebody/.local/state/tminus/launches/" + "depot-" * 20 + "/record.jsonl"
    Screen(Console(file=out, width=40, force_terminal=terminal, color_system=None), as_json=False).last(
        "landed", path
    )
    assert out.getvalue() == f"outcome=landed record={path}\n"


def test_the_last_line_goes_beside_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    out = StringIO()
    Screen(Console(file=out, width=40), as_json=True).last("landed", "/tmp/" + "x" * 60)
    assert json.loads(out.getvalue())["outcome"] == "landed"
    assert capsys.readouterr().err == f"outcome=landed record=/tmp/{'x' * 60}\n"


def test_what_happens_beside_the_record_stands_under_its_clock() -> None:
    out = StringIO()
    screen = Screen(Console(file=out, width=200, color_system=None), as_json=False)
    screen.note("mission page: [1]", -3_600_000)
    screen.note("no date", None)
    assert out.getvalue() == "T-01:00:00  • mission page: [1]\nno date\n"
    out = StringIO()
    Screen(Console(file=out), as_json=True).note("up", 0)
    assert json.loads(out.getvalue()) == {"type": "demo.said", "text": "up"}


def test_what_is_not_in_the_record_is_told_as_it_is() -> None:
    out = StringIO()
    Screen(Console(file=out, width=200, color_system=None), as_json=False).say("stage [1]: up")
    assert out.getvalue() == "stage [1]: up\n"
    out = StringIO()
    Screen(Console(file=out), as_json=True).say("up")
    assert json.loads(out.getvalue()) == {"type": "demo.said", "text": "up"}


@pytest.mark.parametrize("width", [40, 200])
@pytest.mark.parametrize("release", ["good", "errors"])
async def test_a_whole_launch_can_be_shown_at_any_width(release: str, width: int) -> None:
    world = World(release=release)
    world.observer.scripts["cfg.env"] = [UnreachableError("no answer", hint="wait"), Observation([])]
    world.target.unreachable = {0}
    await world.launch()
    text = "\n".join(shown(*world.chain, width=width, terminal=True))
    assert {"good": "LANDED", "errors": "ROLLED-BACK"}[release] in text
    assert "HELD" in text
    for one in world.chain:
        assert all(mark for mark, _, _ in wording(one))


def test_what_is_held_comes_out_in_order_without_the_routine_looks_and_before_the_last_line() -> None:
    out = StringIO()
    screen = Screen(Console(file=out, width=200, highlight=False), as_json=False)
    screen.say("before")
    screen.hold()
    screen.show(event("milestone.reached", {"milestone": "T-02:00:00", "lines": 4}))
    for action in ("continue", "hold"):
        screen.show(
            event("traffic.seen", {"where": action, "action": action, "gauges": GAUGES, "share": SHARE})
        )
    screen.say("kept too")
    assert out.getvalue() == "before\n", "something else is on the screen"
    screen.release()
    screen.last("landed", "/record")
    told = out.getvalue().splitlines()
    assert [line.split()[1:3] for line in told[1:3]] == [["■", "T-02:00:00"], ["‖", "hold:"]]
    assert told[3:] == ["kept too", "outcome=landed record=/record"]


def test_a_screen_that_holds_nothing_releases_nothing() -> None:
    out = StringIO()
    screen = Screen(Console(file=out), as_json=False)
    screen.release()
    screen.hold()
    screen.release()
    assert out.getvalue() == ""
