"""The line about logs: a real depot whose lines a shipper follows, and a service of some pods whose lines go astray.

What answers in Loki's and Elasticsearch's place are stand-ins.
"""

import json
import signal
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tminus import processes
from tminus.control.readiness import Readiness
from tminus.domain.canonical import canonical
from tminus.domain.evidence import Claim, Verdict
from tminus.http import connect
from tminus.planfile import read
from tminus.probes import logs
from tminus.standins.loki import NANO
from tminus.wiring import SystemClock, Systems

if TYPE_CHECKING:
    from tests.elastic_stand_in import KEY, Elastic, elastic
    from tests.integration.line_register import line
    from tests.integration.line_world import PLAN, Kept, World, answering, fails, shows
    from tests.log_world import LABELS, NOW, TOKEN, LogWorld, log_world
    from tests.log_world import line as written
else:
    from line_register import line
    from line_world import PLAN, Kept, World, answering, fails, shows

    from elastic_stand_in import KEY, Elastic, elastic
    from log_world import LABELS, NOW, TOKEN, LogWorld, log_world
    from log_world import line as written

OK = "ok.logs"
CHECKS = read(PLAN)
HURRY = {"lag": "1s", "requests": 4, "path": "/me", "instances": 2, "fields": ["level", "release"]}
"""The demo's line for a service of two pods, which waits for its marks one second only."""


async def judged(system: logs.System, *, controlled: bool = False, **changed: Any) -> Claim:
    """The line's claim by the product's own path, and that nothing which opens a system stands in it."""
    kept, check = Kept(), CHECKS.check(OK)
    arguments = {**(check.arguments or {}), **HURRY, **changed}
    check = replace(check, arguments=arguments, control=check.control if controlled else None)
    readiness = Readiness(CHECKS.checks, kept, Systems({"logs": system}, {}), SystemClock())
    await readiness.observe([check], "test")
    recorded = json.dumps([event.data for event in kept.kept])
    for secret in (TOKEN, KEY):
        assert secret not in recorded
    return (await readiness.claims())[OK]


async def seen(world: LogWorld, **changed: Any) -> Claim:
    return await judged(world.system, **changed)


class TestReal:
    @line(OK, "passed", "marked requests to depot were in the aggregator, with the shipper between")
    async def test_lines_of_green_arrive(self, world: World) -> None:
        claim = await world.scene.judge(OK)
        shows(claim, Verdict.PASSED, "3 marked requests were in the log", "each of 1 instances has lines")

    @line(OK, "failed", "the shipper was killed", mutation=451)
    async def test_a_dead_shipper_fails(self, world: World) -> None:
        shows(await world.scene.judge(OK), Verdict.PASSED)
        await world.process("shipper").kill()
        try:
            check = world.scene.plan.check(OK)
            hurried = replace(check, arguments={**(check.arguments or {}), "lag": "2s"}, control=None)
            claim = await world.scene.judge(hurried)
        finally:
            await world.stage.start_supporting("shipper")
        fails(
            claim, world.scene.plan, r"3 of 3 marked requests \(tminus\w+…\) were not in the log after \d s"
        )

    @line(OK, "error", "the aggregator does not answer")
    async def test_an_aggregator_that_is_away_is_an_error(self, world: World) -> None:
        supporting = {**world.scene.site.supporting, "TMINUS_DEMO_LOGS": "loki+http://127.0.0.1:1/logs"}
        shows(await world.scene.on(supporting=supporting).judge(OK), Verdict.ERROR, "is something listening")

    @line(OK, "inconclusive", "what answers in the aggregator's place is none")
    async def test_what_is_no_aggregator_proves_nothing(self, world: World) -> None:
        async with answering(200, "{}") as nothing:
            supporting = {**world.scene.site.supporting, "TMINUS_DEMO_LOGS": f"loki+{nothing}"}
            claim = await world.scene.on(supporting=supporting).judge(OK)
        shows(claim, Verdict.INCONCLUSIVE, "does not say that it succeeded", "see what stands at")

    async def test_a_shipper_that_was_stopped_goes_on_where_it_was(self, world: World) -> None:
        shipper = world.process("shipper")
        shipper._send(signal.SIGSTOP)
        try:
            async with connect(world.scene.site.public) as http:
                await http.ask("GET", "/health", headers={"X-Request-Id": "while-it-was-stopped"})
        finally:
            shipper._send(signal.SIGCONT)
        address = world.scene.site.supporting["TMINUS_DEMO_LOGS"]
        token, place = address.partition("://:")[2].split("@")

        async def there() -> bool:
            query = "%7Bapp%3D%22depot%22%7D%7C%3D%22while-it-was-stopped%22"
            async with connect(f"http://{place}") as http:
                found = (await http.get(f"/loki/api/v1/query_range?query={query}", token=token)).json()
            return bool(found["data"]["result"])

        await processes.wait_until(there, 20, "the line to arrive")


class TestWell:
    async def test_a_service_of_two_pods_passes(self) -> None:
        async with log_world() as world:
            world.history()
            shows(await seen(world), Verdict.PASSED, "each of 2 instances has lines of the last 300 s")
            assert sum("tminus=tminus" in path for path in world.asked) == 4

    async def test_pods_of_the_target_are_known_by_name(self) -> None:
        async with log_world() as world:
            world.running = ("green-1", "green-2")
            shows(await seen(world, instances=0), Verdict.PASSED)

    async def test_the_line_s_control_needs_no_whole_answer(self) -> None:
        async with log_world() as world:
            world.labels = lambda _: dict(LABELS)  # the lines themselves say which pod they are of
            world.history(since=60, every=0.1)
            shows(await judged(world.system, controlled=True), Verdict.PASSED)

    async def test_marks_that_many_lines_hold_are_all_found(self) -> None:
        async with log_world() as world:
            world.history()
            once, each = world.say, 250

            def say(pod: str, at: float, mark: str = "") -> None:
                for number in range(each if mark else 1):
                    once(pod, at + number / 1e3, mark)

            world.say = say  # type: ignore[method-assign] # a pod writes the id into each of its lines
            shows(await seen(world), Verdict.PASSED)

    async def test_more_instances_than_expected_are_remarked_upon(self) -> None:
        async with log_world() as world:
            world.history("green-1", "green-2", "green-3")
            shows(await seen(world), Verdict.WARNED, "3 instances have lines, and 2 are expected")


class TestSilence:
    @line(OK, "failed", "one of two pods sends nothing, the marks came through the other", mutation=452)
    async def test_a_silent_pod_is_named(self) -> None:
        async with log_world() as world:
            world.history("green-2", since=900, until=420)
            world.history("green-1")
            world.ships = lambda pod, _: pod == "green-1"
            world.serving = ("green-1",)
            claim = await seen(world)
        fails(claim, CHECKS, "1 of 2 instances have lines", r"silent: green-2 for 42\d s")

    @line(OK, "failed", "a pod's last line is six minutes old", mutation=453)
    async def test_a_pod_that_fell_silent_six_minutes_ago_is_told(self) -> None:
        async with log_world() as world:
            world.history("green-1")
            world.history("green-2", since=600, until=360)
            world.serving = ("green-1",)
            fails(await seen(world), CHECKS, r"silent: green-2 for 36\d s")

    @line(
        OK,
        "failed",
        "a pod that was added since is silent; the pods are those of the target now",
        mutation=454,
    )
    async def test_a_pod_that_was_added_is_missed(self) -> None:
        async with log_world() as world:
            world.history()
            world.running = ("green-1", "green-2", "green-3")
            fails(await seen(world, instances=0), CHECKS, "2 of 3 instances", "silent: green-3")

    @line(OK, "failed", "the level was raised to ERROR: healthy pods say nothing", mutation=455)
    async def test_pods_that_log_errors_only_are_silent(self) -> None:
        async with log_world() as world:
            world.history(since=900, until=400)
            world.ships = lambda *_: False
            fails(await seen(world), CHECKS, "0 of 2 instances", "silent: green-1 for .*, green-2 for")

    @line(OK, "failed", "the only lines of a pod are its sidecar's", mutation=456)
    async def test_a_sidecar_does_not_speak_for_its_pod(self) -> None:
        async with log_world() as world:
            world.labels = lambda pod: {
                **LABELS,
                "instance": pod,
                "container": "proxy" if pod == "green-2" else "depot",
            }
            world.history()
            world.serving = ("green-1",)
            claim = await seen(world, labels={**LABELS, "container": "depot"})
        fails(claim, CHECKS, "1 of 2 instances have lines")

    @line(OK, "failed", "all lines are of blue's pods, under the same label", mutation=457)
    async def test_blue_does_not_speak_for_green(self) -> None:
        async with log_world() as world:
            world.running = ("green-1", "green-2")
            world.labels = lambda pod: {"app": "depot", "instance": pod}
            world.serving = ("blue-1", "blue-2")
            world.history("blue-1", "blue-2")
            claim = await seen(world, labels={"app": "depot"}, instances=0)
        fails(claim, CHECKS, "0 of 2 instances", "silent: green-1, green-2; lines are of blue-1, blue-2")

    @line(
        OK, "failed", "a loud pod fills every answer, one is truly silent, a quiet one is not", mutation=458
    )
    async def test_a_quiet_pod_is_not_taken_for_a_silent_one(self) -> None:
        async with log_world() as world:
            world.running = ("green-1", "green-2", "green-3")
            world.serving = ("green-1",)
            world.history("green-1", every=0.02)
            world.history("green-2", since=250, until=249)
            claim = await seen(world, instances=0)
        fails(claim, CHECKS, "silent: green-3, expected")

    @line(OK, "inconclusive", "the selector of the pods matches none", mutation=476)
    async def test_no_pod_is_not_every_pod(self) -> None:
        async with log_world() as world:
            world.running = ()
            world.history()
            shows(
                await seen(world, instances=0), Verdict.INCONCLUSIVE, "no instance of the new side is known"
            )

    async def test_no_line_of_the_labels_proves_nothing(self) -> None:
        async with log_world() as world:
            world.ships = lambda *_: False
            shows(await seen(world), Verdict.INCONCLUSIVE, "no line of app=depot, side=green is there")

    async def test_lines_that_say_no_instance_prove_nothing(self) -> None:
        async with log_world() as world:
            world.history()
            shows(await seen(world, instance="pod"), Verdict.INCONCLUSIVE, "says by 'pod' which instance")


class TestMarks:
    @line(OK, "failed", "the label of the app is wrong: the marks are in another one's stream", mutation=459)
    async def test_marks_in_another_stream_are_told_from_none(self) -> None:
        async with log_world() as world:
            world.labels = lambda pod: {"app": "depot-old", "side": "green", "instance": pod}
            fails(await seen(world), CHECKS, "but in lines of app=depot-old, side=green")

    @line(OK, "failed", "the marks stand in the proxy's log and not in the app's", mutation=460)
    async def test_a_proxy_does_not_speak_for_the_app(self) -> None:
        async with log_world() as world:
            world.labels = lambda pod: {"app": "haproxy", "side": "green", "instance": pod}
            world.history("proxy-1")
            claim = await seen(world)
        fails(claim, CHECKS, "were not in the log", "but in lines of app=haproxy")

    @line(OK, "failed", "the ingester refuses what is too much: the marks were dropped", mutation=461)
    async def test_dropped_marks_fail(self) -> None:
        async with log_world() as world:
            world.history()
            world.ships = lambda _, mark: not mark
            fails(await seen(world), CHECKS, "4 of 4 marked requests", "the newest line is")

    @line(OK, "failed", "some marks of many were dropped")
    async def test_a_share_of_dropped_marks_fails(self) -> None:
        async with log_world() as world:
            world.history()
            world.ships = lambda _, mark: not mark.endswith("2")
            fails(await seen(world), CHECKS, "1 of 4 marked requests")

    @line(OK, "passed", "(warned) the marks are there twice: two shippers read the same files", mutation=467)
    async def test_marks_that_arrive_twice_are_remarked_upon(self) -> None:
        async with log_world() as world:
            world.copies = 2
            world.history()
            shows(await seen(world), Verdict.WARNED, "the same line is there 2 times, so counts mean nothing")

    @line(OK, "inconclusive", "the path that is asked answers 404: no mark was served", mutation=477)
    async def test_a_path_that_is_not_there_sends_no_mark(self) -> None:
        async with log_world() as world:
            world.history()
            world.status = 404
            shows(await seen(world), Verdict.INCONCLUSIVE, "/me answers 404, so no marked request was served")

    async def test_nobody_to_ask_proves_nothing(self) -> None:
        async with log_world() as world:
            system = logs.System(world.address, NOW)
            shows(await judged(system), Verdict.INCONCLUSIVE, "no marked request can be sent")


class TestLateness:
    @line(OK, "passed", "(warned) lines arrive three minutes late", mutation=462)
    async def test_lines_that_are_minutes_late_are_remarked_upon(self) -> None:
        async with log_world() as world:
            world.delay = 180.0
            world.history(since=600, every=0.5)
            claim = await seen(world)
        shows(claim, Verdict.WARNED, r"lines arrive 18\d s late, and 1 s are allowed")

    @line(OK, "passed", "(warned) the marks arrive at once, and a tenth of the lines is late", mutation=463)
    async def test_a_tenth_of_late_lines_is_remarked_upon(self) -> None:
        async with log_world() as world:
            world.stamped = True
            world.history(since=100)
            world.delay = 120.0
            world.history(since=160, until=140)
            world.delay = 0.0
            claim = await seen(world, lag="60s")
        shows(claim, Verdict.WARNED, r"lines arrive after 120 s \(p95\), and 60 s are allowed")

    @line(OK, "failed", "lines arrive ten minutes late", mutation=464)
    async def test_lines_that_are_very_late_fail(self) -> None:
        async with log_world() as world:
            world.delay = 600.0
            world.history(since=1200, every=0.5)
            claim = await seen(world)
        fails(claim, CHECKS, r"lines arrive 60\d s late, and 1 s are allowed", "0 of 2 instances")

    @line(OK, "passed", "(warned) lines are stamped on their way, and the marks took long", mutation=465)
    async def test_a_shipper_that_stamps_lines_hides_no_lag(self) -> None:
        async with log_world() as world:
            world.stamped, world.delay = True, 240.0
            world.history(since=600, every=0.5)
            claim = await seen(world)
        shows(claim, Verdict.WARNED, r"lines arrive 24\d s late, and 1 s are allowed")

    async def test_marks_that_are_seen_to_be_late_are_remarked_upon(self) -> None:
        async with log_world() as world:
            world.history()
            world.delay = 1.1
            claim = await seen(world, requests=1)
        shows(claim, Verdict.WARNED, "1 s are allowed")

    @line(OK, "failed", "a pod's clock is two hours ahead", mutation=466)
    async def test_a_wrong_clock_is_told(self) -> None:
        async with log_world() as world:
            world.skew = 7200.0
            fails(
                await seen(world),
                CHECKS,
                r"lines of green-1 carry times 7\d{3} s to come: its clock is wrong",
            )


class TestFields:
    @line(OK, "failed", "the formatter was lost: lines are plain text", mutation=468)
    async def test_plain_text_fails(self) -> None:
        async with log_world() as world:
            world.text = lambda pod, _, mark: f"{pod} answered a request, id {mark or 'none'}"
            world.history()
            fails(await seen(world), CHECKS, "marked lines hold no field level, release")

    @line(OK, "failed", "half of the lines are cut off", mutation=469)
    async def test_lines_that_are_cut_off_fail(self) -> None:
        async with log_world() as world:
            world.text = lambda pod, at, mark: written(pod, at, mark)[
                : 40 if int(at) % 2 and not mark else None
            ]
            world.history()
            claim = await seen(world)
        fails(claim, CHECKS, r"\d+ of \d+ lines hold no field level, release")

    async def test_a_few_lines_without_fields_are_remarked_upon(self) -> None:
        async with log_world() as world:
            world.text = lambda pod, at, mark: (
                "starting" if int(at) % 50 == 0 and not mark else written(pod, at, mark)
            )
            world.history()
            shows(await seen(world), Verdict.WARNED, r"\d+ of \d+ lines hold no field")

    async def test_without_names_a_level_is_asked_for(self) -> None:
        async with log_world() as world:
            world.text = lambda _, at, mark: f'ts={at} severity=info msg="{mark or "none"}"'
            world.history()
            shows(await seen(world, fields=[]), Verdict.PASSED)


class TestRefusals:
    @line(OK, "error", "the token was revoked, or the tenant is missing", mutation=474)
    async def test_a_token_or_tenant_that_does_not_open_is_an_error(self) -> None:
        async with log_world() as world:
            world.history()
            world.address = world.address.replace(TOKEN, "revoked")
            shows(await seen(world), Verdict.ERROR, "does not let us read logs", "renew")
            world.address = world.address.replace("revoked", TOKEN)
            await world.behave({"tenant": "shop"})
            shows(await seen(world), Verdict.ERROR, "no org id", "tenant")
            shows(await seen(world, tenant="shop"), Verdict.PASSED)

    @line(OK, "error", "the aggregator runs into its time limit", mutation=475)
    async def test_an_overloaded_aggregator_is_an_error(self) -> None:
        async with log_world() as world:
            await world.behave({"status": 504})
            shows(await seen(world), Verdict.ERROR, "cannot answer now", "overloaded")

    async def test_what_loki_does_not_understand_is_told_in_its_words(self) -> None:
        async with log_world() as world:
            claim = await seen(world, labels={"app.name": "depot"})
        shows(claim, Verdict.INCONCLUSIVE, "parse error at line 1, col 5")

    @pytest.mark.parametrize("address", ["syslog://x", "loki+ftp://x", "files:relative", "", "loki+http://"])
    async def test_an_address_of_no_aggregator_proves_nothing(self, address: str) -> None:
        async with log_world() as world:
            system = logs.System(address, NOW, world.site)
            shows(await judged(system), Verdict.INCONCLUSIVE, "the address of the logs")


def document(pod: str, at: float, mark: str = "", **more: Any) -> dict[str, Any]:
    """A line as Elastic's own shippers write it."""
    time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return {
        "@timestamp": time,
        "message": f"GET /me?tminus={mark}" if mark else "GET /me",
        "service": {"name": "shop", "version": "2.0.0"},
        "side": "green",
        "pod": pod,
        "log": {"level": "info"},
        **more,
    }


async def indexed(world: LogWorld, found: Elastic, *, index: str = "logs-shop", came: float = 0.0) -> None:
    """What the pods of a world have said stands in an index; and what they say, from now on."""
    pods = world.pods
    now = NOW()
    found.documents.setdefault(index, []).extend(
        document(
            pod, now - back, event={"ingested": datetime.fromtimestamp(now - back + came, UTC).isoformat()}
        )
        for pod in pods
        for back in range(200)
    )

    def ships(pod: str, mark: str) -> bool:
        if mark:
            found.documents[index].append(document(pod, NOW(), mark))
        return False

    world.ships = ships


ELASTIC: Mapping[str, Any] = {
    "labels": {"service.name": "shop", "side": "green"},
    "instance": "pod",
    "fields": ["log.level", "service.version"],
}


class TestElasticsearch:
    async def test_documents_of_two_pods_pass(self) -> None:
        async with log_world() as world, elastic() as (found, address):
            await indexed(world, found)
            claim = await judged(logs.System(address, NOW, world.site), **ELASTIC)
            shows(claim, Verdict.PASSED, "each of 2 instances has lines")
            assert {act for act, _ in found.asked} == {"_count", "_search"}

    @line(OK, "failed", "one of five shards failed, and the marks were counted", mutation=470)
    @line(OK, "failed", "shards failed and nothing was counted: no mark is called missing", mutation=471)
    async def test_an_answer_that_is_not_whole_fails_and_calls_nothing_missing(self) -> None:
        async with log_world() as world, elastic() as (found, address):
            await indexed(world, found)
            for failed in (1, 5):
                found.failed = failed
                claim = await judged(logs.System(address, NOW, world.site), **ELASTIC)
                fails(claim, CHECKS, f"{failed} of 5 shards failed, so the answer is not whole")
                assert "marked requests" not in claim.why

    @line(OK, "failed", "what is written now goes to an index that the pattern does not match", mutation=472)
    async def test_lines_in_an_index_of_another_name_fail(self) -> None:
        async with log_world() as world, elastic() as (found, address):
            await indexed(world, found, index="applogs-shop")
            old = NOW() - 3600
            found.documents["logs-shop"] = [
                document(pod, old + back) for pod in world.pods for back in range(50)
            ]
            claim = await judged(logs.System(address, NOW, world.site), **ELASTIC)
        fails(claim, CHECKS, "4 of 4 marked requests", r"the newest line is 35\d\d s old", "0 of 2 instances")

    @line(OK, "failed", "the disk is at its flood stage: new lines are refused", mutation=473)
    async def test_indices_that_take_nothing_more_fail(self) -> None:
        async with log_world() as world, elastic() as (found, address):
            await indexed(world, found)
            world.ships = lambda *_: False
            claim = await judged(logs.System(address, NOW, world.site), **ELASTIC)
        fails(claim, CHECKS, "4 of 4 marked requests", r"the newest line is \d+ s old")

    async def test_lines_that_were_taken_in_late_are_remarked_upon(self) -> None:
        async with log_world() as world, elastic() as (found, address):
            await indexed(world, found, came=120.0)
            claim = await judged(logs.System(address, NOW, world.site), **{**ELASTIC, "lag": "60s"})
        shows(claim, Verdict.WARNED, r"lines arrive after 120 s \(p95\)")

    async def test_a_mark_within_a_keyword_is_found_among_thousands_of_fields(self) -> None:
        """As Elastic's own template has it: what is no message is a keyword, and holds the address as a whole."""
        async with log_world() as world, elastic() as (found, address):
            await indexed(world, found)
            found.mapped = 5000

            def ships(pod: str, mark: str) -> bool:
                if mark:
                    more = {"message": "answered", "path": f"/me?tminus={mark}"}
                    found.documents["logs-shop"].append({**document(pod, NOW()), **more})
                return False

            world.ships = ships
            shows(await judged(logs.System(address, NOW, world.site), **ELASTIC), Verdict.PASSED)

    async def test_a_mark_in_a_field_of_another_name_is_found_where_the_plan_names_it(self) -> None:
        async with log_world() as world, elastic() as (found, address):
            await indexed(world, found)

            def ships(pod: str, mark: str) -> bool:
                found.documents["logs-shop"].append({**document(pod, NOW()), "rid": mark or "none"})
                return False

            world.ships = ships
            system = logs.System(address, NOW, world.site)
            fails(await judged(system, **ELASTIC), CHECKS, "4 of 4 marked requests")
            for one in found.documents["logs-shop"]:
                one.setdefault("rid", "none")
            shows(await judged(system, **{**ELASTIC, "fields": ["log.level", "rid"]}), Verdict.PASSED)

    async def test_an_index_that_there_is_not_proves_nothing(self) -> None:
        async with log_world() as world, elastic() as (_, address):
            claim = await judged(logs.System(address, NOW, world.site), **ELASTIC)
        shows(claim, Verdict.INCONCLUSIVE, r"no index is called logs-\*")

    async def test_an_instance_that_is_a_text_is_told_in_its_words(self) -> None:
        async with log_world() as world, elastic() as (found, address):
            await indexed(world, found)
            claim = await judged(logs.System(address, NOW, world.site), **{**ELASTIC, "instance": "message"})
        shows(claim, Verdict.INCONCLUSIVE, "Fielddata is disabled on")

    async def test_a_key_that_was_revoked_is_an_error(self) -> None:
        async with log_world() as world, elastic() as (found, address):
            await indexed(world, found)
            system = logs.System(address.replace(KEY, "revoked"), NOW, world.site)
            shows(await judged(system, **ELASTIC), Verdict.ERROR, "does not let us read logs")
            found.status = 503
            system = logs.System(address, NOW, world.site)
            shows(await judged(system, **ELASTIC), Verdict.ERROR, "cannot answer now")


class TestElsewhere:
    async def test_lines_in_files_of_two_hosts_pass_and_a_silent_one_fails(self, tmp_path: Path) -> None:
        async with log_world() as world:
            for pod in world.pods:
                (tmp_path / pod).mkdir()
                past = [written(pod, NOW() - back) for back in range(100, 0, -1)]
                (tmp_path / pod / "app.log").write_text("\n".join(past) + "\n")

            def ships(pod: str, mark: str) -> bool:
                with (tmp_path / pod / "app.log").open("a") as file:
                    file.write(written(pod, NOW(), mark) + "\n")
                return False

            world.ships = ships
            system = logs.System(f"files:{tmp_path}/*/app.log", NOW, world.site)
            wanted: dict[str, Any] = {"labels": {"release": "2.0.0"}, "instance": "folder"}
            shows(await judged(system, **wanted), Verdict.PASSED)
            fails(await judged(system, **wanted, instances=3), CHECKS, "2 of 3 instances")
            system = logs.System(f"files:{tmp_path}/*/none.log", NOW, world.site)
            shows(await judged(system, **wanted), Verdict.ERROR, "no file matches")

    async def test_lines_of_the_journal_pass(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async with log_world() as world:
            journal = tmp_path / "journal.jsonl"
            journal.touch()

            def ships(pod: str, mark: str) -> bool:
                micro = str(int(NOW() * 1_000_000))
                entry = {
                    "MESSAGE": written(pod, NOW(), mark),
                    "_HOSTNAME": pod,
                    "__REALTIME_TIMESTAMP": micro,
                }
                with journal.open("a") as file:
                    file.write(json.dumps(entry) + "\n")
                return False

            world.ships = ships
            world.history(since=100)
            program = tmp_path / "journalctl"
            program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncat {journal}\n')
            program.chmod(0o755)
            monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
            system = logs.System("journal:", NOW, world.site)
            labels = {"release": "2.0.0", "_SYSTEMD_UNIT": "depot.service"}
            wanted: dict[str, Any] = {"labels": {"release": "2.0.0"}, "instance": "_HOSTNAME"}
            shows(await judged(system, **wanted), Verdict.PASSED)
            fails(await judged(system, **{**wanted, "labels": labels}), CHECKS, "_SYSTEMD_UNIT=nothing")
            asked = (tmp_path / "asked").read_text()
            assert "--output=json --no-pager --quiet --reverse" in asked
            assert "_SYSTEMD_UNIT=depot.service" in asked
            program.write_text(
                "#!/bin/sh\necho 'No journal files were opened due to insufficient permissions.'\nexit 1\n"
            )
            shows(await judged(system, **wanted), Verdict.ERROR, "may not read the journal")


def test_a_world_s_lines_are_canonical() -> None:
    """What the tests say is what the stand-in would take from a shipper."""
    read_back = json.loads(written("green-1", NOW(), "m"))
    assert canonical(read_back)
    assert NANO == 1_000_000_000
