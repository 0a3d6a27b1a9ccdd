"""What people read: a subject that says it all, the lines, the command, and T-0 for their calendars."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0, Launched, claim, line
else:
    from courses import HOUR, PLAN, T0, Launched, claim, line

from tminus.domain.evidence import Verdict
from tminus.domain.message import MOST_LINES, Appointment, Message, Standing, message
from tminus.domain.orders import Act
from tminus.domain.plan import Kind, Notify, Plan, Severity
from tminus.domain.telling import deliveries, tellings

ROOM = replace(PLAN, notify=Notify(slack="env:ROOM"))


def read(launch: Launched, plan: Plan = ROOM) -> Message:
    """What is told now of the newest event."""
    telling = tellings(plan, launch.events, {}, launch.now)[-1]
    (delivery,) = deliveries(plan, telling)
    return message(Standing("prod-1", "prod", plan, launch.course, {}, launch.now), delivery)


def noticed(kind: str, to: str, *checks: str, now: float = T0 - 2 * HOUR) -> Launched:
    launch = Launched(now=now)
    launch.add("notice.raised", notice=kind, to=to, checks=list(checks))
    return launch


def appointed(launch: Launched) -> Appointment:
    found = read(launch).appointment
    assert found is not None
    return found


def test_a_notice_says_what_waits_for_whom_and_what_to_type() -> None:
    found = read(noticed("due", "devops", "site.up", "vendor.word"))
    assert found.subject == "[tminus] prod: 2 lines due at T-2h wait for you"
    assert found.names == ("Dario Voss",)
    assert found.text.splitlines()[:-1] == [
        "Launch       prod-1 of depot, plan ours",
        "Environment  prod",
        "Clock        T-02:00:00; T-0 is 2027-01-15 08:00:00 UTC",
        "",
        "2 lines due at T-2h wait for you:",
        "  site.up      site.up",
        "               pending",
        "  vendor.word  vendor.word",
        "               waits for your word: ",
        "",
        "What to do now:",
        "  see where it stands:  tminus status prod-1",
        "",
    ]
    assert "This is for DevOps Lead (Dario Voss). It is message" in found.text


def test_each_kind_of_notice_says_how_late_it_is_and_who_is_asked() -> None:
    late = read(noticed("late", "devops", "vendor.word"))
    assert late.subject == "[tminus] prod: 1 line due at T-2h is late and waits for you"
    assert "tminus hold prod-1" in late.text
    escalated = read(noticed("escalated", "lead", "vendor.word", "site.up"))
    assert escalated.subject == "[tminus] prod: 2 lines due at T-2h are late, with Dario Voss; you decide"


def test_a_line_says_its_words_how_it_stands_and_its_hint() -> None:
    checks = (line("site.up", Kind.PROBE, -2 * HOUR, hint="look at its log"), *PLAN.checks[1:])
    assert (
        "pending: look at its log"
        in read(noticed("due", "devops", "site.up"), replace(ROOM, checks=checks)).text
    )
    launch = Launched(now=T0).up_to("polling")
    launch.add("notice.raised", notice="due", to="devops", checks=["sign.devops"])
    assert "waits for your signature" in read(launch).text


def test_a_long_list_is_cut_and_says_by_how_much() -> None:
    many = tuple(line(f"line.{n}", Kind.PERSON, -2 * HOUR) for n in range(MOST_LINES + 5))
    launch = noticed("due", "devops", *(check.id for check in many))
    found = read(launch, replace(ROOM, checks=many))
    assert found.subject == "[tminus] prod: 25 lines due at T-2h wait for you"
    assert "  and 5 more\n" in found.text
    assert "line.24" not in found.text


def test_a_new_date_says_who_moved_it_and_why_and_what_is_void() -> None:
    launch = Launched(now=T0 - HOUR)
    launch.order(Act.RESCHEDULE, new_t0=T0 + 24 * HOUR, reason="the vendor is away")
    found = read(launch)
    assert found.subject == "[tminus] prod: T-0 moved by Lena Ortiz, T-0 is now 2027-01-16 08:00:00 UTC"
    assert "Reason: the vendor is away\n" in found.text
    assert "for the old date are void" in found.text


def test_orders_and_decisions_say_who_gave_them_and_what_to_do() -> None:
    held = Launched()
    held.order(Act.HOLD)
    assert read(held).subject == "[tminus] prod: clock held by Lena Ortiz"
    assert "tminus resume prod-1" in read(held).text
    assert ", the clock is held; T-0 is" in read(held).text
    held.order(Act.RESUME)
    assert read(held).subject.startswith("[tminus] prod: clock resumed by Lena Ortiz, T-0 is now 2027-")
    no_go = Launched().up_to("polling")
    no_go.no_go()
    assert read(no_go).subject == "[tminus] prod: NO-GO decided by Lena Ortiz; there is no new T-0 yet"
    assert "tminus reschedule" in read(no_go).text
    assert "tminus scrub prod-1" in read(no_go).text
    dated = Launched().up_to("polling")
    dated.no_go(unscheduled=False, new_t0=T0 + 24 * HOUR)
    assert read(dated).subject == "[tminus] prod: NO-GO by Lena Ortiz, T-0 is now 2027-01-16 08:00:00 UTC"
    go = Launched().up_to("polling")
    go.add("decision.made", decision="go", by="Lena Ortiz", reason="all is green")
    assert read(go).subject == "[tminus] prod: GO decided by Lena Ortiz"
    aborted = Launched().up_to("launching")
    aborted.order(Act.ABORT)
    assert read(aborted).subject == "[tminus] prod: abort ordered by Lena Ortiz"


def test_a_proposed_no_go_lists_every_reason() -> None:
    launch = Launched().up_to("polling")
    launch.add("decision.proposed", decision="no-go", reasons=["bk.db is failed", "nobody decided"])
    found = read(launch)
    assert found.subject == "[tminus] prod: NO-GO, no GO holds; a new T-0 is needed"
    assert "Reason: bk.db is failed; nobody decided\n" in found.text
    assert "Clock        no T-0 is set" in found.text


def test_an_end_asks_for_nothing_more() -> None:
    launch = Launched()
    launch.order(Act.SCRUB)
    assert read(launch).subject == "[tminus] prod: the launch has ended: scrubbed"
    assert "nothing; this launch is over" in read(launch).text


def test_a_subject_is_one_short_line_whatever_people_write() -> None:
    launch = Launched()
    launch.order(Act.HOLD, by="Lena\r\nBcc: all@shop.example " + "o" * 200)
    subject = read(launch).subject
    assert "\n" not in subject
    assert len(subject) == 160


def test_one_launch_is_one_appointment_whose_sequence_rises_and_that_is_taken_out() -> None:
    launch = Launched()
    seen = [appointed(launch)]
    launch.order(Act.RESCHEDULE, new_t0=T0 + 24 * HOUR)
    seen.append(appointed(launch))
    launch.up_to("polling").no_go()
    seen.append(appointed(launch))
    launch.order(Act.RESCHEDULE, new_t0=T0 + 48 * HOUR)
    seen.append(appointed(launch))
    launch.order(Act.SCRUB)
    seen.append(appointed(launch))
    assert [(one.sequence, one.at) for one in seen] == [
        (0, T0),
        (1, T0 + 24 * HOUR),
        (2, None),
        (3, T0 + 48 * HOUR),
        (4, None),
    ]
    assert len({one.uid for one in seen}) == 1


def test_what_moves_no_date_brings_no_appointment() -> None:
    without: list[Any] = [read(noticed("due", "devops", "site.up")).appointment]
    launch = Launched().up_to("polling")
    launch.add("decision.made", decision="go", by="Lena Ortiz", reason="all is green")
    without.append(read(launch).appointment)
    held = Launched()
    held.order(Act.HOLD)
    without.append(read(held).appointment)
    assert without == [None, None, None]


def test_a_warning_that_nobody_has_acknowledged_says_why_who_could_and_what_to_type() -> None:
    checks = tuple(replace(one, severity=Severity.BLOCKER) for one in PLAN.checks)
    launch = noticed("acknowledge", "lead", "cfg.maps")
    seen = {"cfg.maps": replace(claim("cfg.maps", launch.now, Verdict.WARNED), why="one map is old")}
    plan = replace(ROOM, checks=checks)
    (delivery,) = deliveries(plan, tellings(plan, launch.events, seen, launch.now)[-1])
    found = message(Standing("prod-1", "prod", plan, launch.course, seen, launch.now), delivery)
    assert found.subject == "[tminus] prod: 1 blocker is warned, and GO waits until somebody acknowledges it"
    assert "warned: one map is old; who could acknowledge it: Lena Ortiz as lead" in found.text
    assert 'tminus acknowledge prod-1 cfg.maps --role lead --reason "…"' in found.text


def test_a_signer_is_told_what_to_type_is_reminded_and_hears_when_a_signature_is_void() -> None:
    launch = Launched(now=T0 - 600).up_to("polling")
    launch.add("notice.raised", notice="due-soon", to="devops", checks=["sign.devops"])
    assert read(launch).subject == "[tminus] prod: your signature is asked for, until T-0"
    assert "tminus sign prod-1 go --role devops\n" in read(launch).text
    launch.add("notice.raised", notice="reminder", to="devops", checks=["sign.devops"])
    assert read(launch).subject.endswith("your signature is still missing, and the poll ends at T-0")
    launch.add("notice.raised", notice="reminder", to="devops", checks=["sign.devops"], voided=1)
    assert read(launch).subject.endswith("what you signed has changed: sign again, until T-0")


def test_who_decides_hears_whose_signatures_are_missing_before_the_poll_ends() -> None:
    launch = Launched(now=T0 - 200).up_to("polling")
    launch.add("notice.raised", notice="escalated", to="lead", checks=["sign.devops"])
    found = read(launch)
    assert found.subject.endswith("1 signature is missing, of Dario Voss, and the poll ends at T-0")
    assert "waits for the signature of Dario Voss" in found.text
    assert "tminus sign" not in found.text


def test_a_record_that_does_not_verify_says_why_and_what_to_type() -> None:
    launch = Launched().up_to("go")
    launch.add("launch.held", where="GO", rule="hold.record", text="line 9: a stranger signed this")
    found = read(launch)
    assert found.subject == "[tminus] prod: held, for its record does not verify"
    assert "Reason: line 9: a stranger signed this" in found.text
    for command in ("tminus trust add KEY", "tminus resume prod-1 --reason", "tminus abort prod-1 --reason"):
        assert command in found.text
    assert found.appointment is None
