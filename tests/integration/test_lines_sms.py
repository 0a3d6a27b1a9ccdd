"""The line about text messages: people on call at stand-ins for PagerDuty and Twilio, and why they are not told."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from tminus.alerting.texting import Twilio
from tminus.control.readiness import Readiness
from tminus.domain.evidence import Claim, Verdict
from tminus.planfile import read
from tminus.probes import pagerduty
from tminus.standins import sms as texts
from tminus.standins.oncall import Behaviour
from tminus.standins.pager import SERVICE
from tminus.standins.server import Secrets, Standins
from tminus.wiring import SystemClock, Systems

if TYPE_CHECKING:
    from tests.integration.line_register import line
    from tests.integration.line_world import PLAN, Kept, World, answering, fails, shows
else:
    from line_register import line
    from line_world import PLAN, Kept, World, answering, fails, shows

SMS = "route.sms"
CHECKS = read(PLAN)
NOW = SystemClock().now
SECRETS = Secrets(routing_key="key-7f3a9c", hook="hook-7f3a9c", token="token-7f3a9c-of-the-pager")
BEARER = {"Authorization": f"Bearer {SECRETS.token}"}
NUMBER, OTHER = "7700900177", "7700900188"
"""Canaries: no number is ever shown whole."""
DAY = 86_400.0


def method(number: str = NUMBER, kind: str = "sms", **more: Any) -> dict[str, Any]:
    """How somebody is told."""
    told = {"id": f"C{kind.upper()}", "type": f"{kind}_contact_method", "label": "Mobile", "address": number}
    phone = {"country_code": 44, "enabled": True, "blacklisted": False} if kind in {"sms", "phone"} else {}
    return {**told, **phone, **more}


def rule(contact: str = "CSMS", urgency: str = "high", delay: int = 0) -> dict[str, Any]:
    return {"id": f"R{contact}{urgency}", "contact": contact, "urgency": urgency, "delay": delay}


def person(name: str = "Ada", level: int | None = 1, **more: Any) -> dict[str, Any]:
    """Somebody who is on call, and well."""
    known: dict[str, Any] = {"id": f"P{name.upper()}", "name": name, "email": f"{name.lower()}@depot.example"}
    return {**known, "level": level, "contact_methods": [method()], "rules": [rule()], **more}


SENDER = person("Sender", None)


@dataclass
class Pager:
    """The stand-ins, and how they are found."""

    standins: Standins
    url: str

    async def behave(self, *people: dict[str, Any], **more: Any) -> None:
        """Have these people on call, and the pager behave so."""
        await self._told("/pager/behaviour", {"people": [SENDER, *(people or (person(),))], **more})

    async def text(self, **told: Any) -> None:
        """Have the provider of text messages behave so."""
        await self._told("/sms/behaviour", told)

    async def _told(self, path: str, body: Any) -> None:
        async with (
            aiohttp.ClientSession(headers=BEARER) as session,
            session.put(self.url + path, json=body) as reply,
        ):
            assert reply.status == 200, await reply.text()

    def drilled(self, one: dict[str, Any], at: float, **behaviour: Any) -> None:
        """A test page to somebody was sent at an instant."""
        told = {
            "title": "tminus test",
            "urgency": "high",
            "incident_key": f"tminus-sms-{one['id']}-before",
        }
        kept = {"incident": told, "people": [one], "sender": SENDER}
        self.standins.pager.open({**kept, "behaviour": asdict(Behaviour(**behaviour))}, at)

    @property
    def drills(self) -> int:
        return len(self.standins.pager.incidents)

    def system(self, token: str = SECRETS.token) -> pagerduty.System:
        address = self.url.replace("http://", f"http://reader:{token}@")
        provider = self.url.replace("http://", f"http://{texts.ACCOUNT}:{token}@")
        providers = {"twilio": Twilio(f"{provider}/sms?from={texts.NUMBER}")}
        return pagerduty.System(f"{address}/pager", NOW, providers)

    async def judged(self, system: pagerduty.System | None = None, **changed: Any) -> Claim:
        """The line's claim by the product's own path, and that no token and no number stands in it."""
        kept, check = Kept(), CHECKS.check(SMS)
        arguments = {**(check.arguments or {}), "sender": "sender@depot.example", "seconds": 3, **changed}
        check = replace(check, arguments=arguments)
        readiness = Readiness(
            CHECKS.checks, kept, Systems({"pager": system or self.system()}, {}), SystemClock()
        )
        await readiness.observe([check], "test")
        recorded = json.dumps([event.data for event in kept.kept])
        for secret in (SECRETS.token, NUMBER, OTHER, NUMBER[-6:], "5550100"):
            assert secret not in recorded, secret
        return (await readiness.claims())[SMS]


@pytest.fixture
async def pager(tmp_path: Path) -> AsyncIterator[Pager]:
    async with _running(tmp_path) as found:
        yield found


@asynccontextmanager
async def _running(folder: Path) -> AsyncIterator[Pager]:
    standins = Standins(folder, SECRETS, {})
    async with TestServer(standins.application()) as server:
        found = Pager(standins, str(server.make_url("")).rstrip("/"))
        await found.behave()
        yield found


class TestReal:
    @line(SMS, "passed", "a simulated person at the stand-in was told by text message, and answered")
    async def test_the_stage_s_person_on_call_is_told_and_answers(self, world: World) -> None:
        claim = await world.scene.judge(SMS)
        shows(claim, Verdict.PASSED, "everybody on call got a test message and answered it: Noor Haddad")

    @line(SMS, "error", "the pager does not answer")
    async def test_a_pager_that_is_away_is_an_error(self, world: World) -> None:
        supporting = {**world.scene.site.supporting, "TMINUS_DEMO_PAGER": "http://reader:x@127.0.0.1:1/pager"}
        shows(await world.scene.on(supporting=supporting).judge(SMS), Verdict.ERROR, "is something listening")

    @line(SMS, "inconclusive", "what answers in the pager's place knows no service")
    async def test_what_is_no_pager_proves_nothing(self, world: World) -> None:
        async with answering(200, "{}") as nothing:
            supporting = {**world.scene.site.supporting, "TMINUS_DEMO_PAGER": nothing}
            claim = await world.scene.on(supporting=supporting).judge(SMS)
        shows(claim, Verdict.INCONCLUSIVE, "gives no service", "see what stands at")


class TestWell:
    async def test_a_test_page_is_answered_ended_and_not_sent_again(self, pager: Pager) -> None:
        shows(await pager.judged(), Verdict.PASSED, "answered it: Ada")
        (incident,) = pager.standins.pager.incidents
        assert incident.status == "resolved"
        shows(await pager.judged(), Verdict.PASSED)
        assert pager.drills == 1

    async def test_a_call_counts_as_a_text_message_does(self, pager: Pager) -> None:
        await pager.behave(person(contact_methods=[method(kind="phone")], rules=[rule("CPHONE")]))
        shows(await pager.judged(), Verdict.PASSED)

    async def test_who_waits_for_an_answer_gets_no_second_page(self, pager: Pager) -> None:
        await pager.behave(answers=False)
        for _ in range(2):
            shows(await pager.judged(seconds=1), Verdict.WARNED, "has not answered it")
        assert pager.drills == 1
        assert pager.standins.pager.incidents[0].status == "triggered"

    async def test_everybody_is_told_at_once(self, pager: Pager) -> None:
        await pager.behave(person("Ada"), person("Bo", 2), person("Cy", 3))
        began = NOW()
        shows(await pager.judged(seconds=10), Verdict.PASSED, "Ada, Bo, Cy")
        assert NOW() - began < 6

    async def test_a_number_is_shown_by_its_end(self, pager: Pager) -> None:
        system, kept = pager.system(), Kept()
        check = CHECKS.check(SMS)
        readiness = Readiness(CHECKS.checks, kept, Systems({"pager": system}, {}), SystemClock())
        arguments = {**(check.arguments or {}), "sender": "sender@depot.example"}
        await readiness.observe([replace(check, arguments=arguments)], "test")
        seen = kept.kept[-1].data["seen"]
        assert isinstance(seen, dict)
        ada = seen["Ada"]
        assert isinstance(ada, dict)
        assert ada["numbers"] == ["sms +44…77"]
        assert ada["by"] == "sms"
        assert ada["delivered"]


class TestReach:
    @line(SMS, "failed", "the only rule that uses the phone is for low urgency", mutation=478)
    @line(SMS, "failed", "the phone is a contact, and no rule uses it", mutation=479)
    async def test_a_phone_that_no_rule_for_high_urgency_uses_fails(self, pager: Pager) -> None:
        for rules in ([rule(urgency="low")], [rule("CEMAIL")]):
            mail = method("ada@depot.example", "email")
            await pager.behave(person(contact_methods=[method(), mail], rules=rules))
            fails(await pager.judged(), CHECKS, "no rule of Ada uses a telephone number for this urgency")
        assert pager.drills == 0

    @line(SMS, "failed", "the contact was switched off, since the person answered STOP", mutation=480)
    async def test_a_number_that_is_switched_off_fails(self, pager: Pager) -> None:
        await pager.behave(person(contact_methods=[method(enabled=False)]))
        fails(await pager.judged(), CHECKS, r"the number \+44…77 of Ada reaches nobody: it is disabled")
        await pager.behave(person(contact_methods=[method(blacklisted=True)]))
        fails(await pager.judged(), CHECKS, "PagerDuty sends nothing to it any more")

    @line(SMS, "failed", "the person has mail and push messages alone", mutation=481)
    async def test_a_person_without_a_telephone_fails(self, pager: Pager) -> None:
        methods = [method("ada@depot.example", "email"), method("", "push_notification")]
        await pager.behave(person(contact_methods=methods, rules=[rule("CEMAIL")]))
        fails(await pager.judged(), CHECKS, "Ada has no telephone number for pages")

    @line(SMS, "failed", "the number is a placeholder", mutation=482)
    @pytest.mark.parametrize(
        ("country", "number", "why"),
        [
            (1, "5550100", "nobody has a number 555-01xx"),
            (1, "4155550100", "nobody has a number 555-01xx"),
            (49, "xxx", "it holds letters"),
            (49, "1111111111", "all its digits are the same"),
            (49, "1234567890", "its digits only count"),
        ],
    )
    async def test_a_number_that_stands_for_one_fails(
        self, pager: Pager, country: int, number: str, why: str
    ) -> None:
        await pager.behave(person(contact_methods=[method(number, country_code=country)]))
        fails(await pager.judged(), CHECKS, f"of Ada reaches nobody: {why}")

    @line(SMS, "failed", "the number lacks its country, or has another's code", mutation=483)
    @pytest.mark.parametrize(
        ("country", "number", "why"),
        [
            (None, NUMBER, "it has no country"),
            (1, NUMBER, "it is no number of the country 1"),
            (44, f"0{NUMBER}", "it begins with 0"),
            (999, NUMBER, "no country has the code 999"),
            (44, f"+49 {NUMBER}", "it names two countries"),
        ],
    )
    async def test_a_number_of_no_country_fails(
        self, pager: Pager, country: int | None, number: str, why: str
    ) -> None:
        await pager.behave(person(contact_methods=[method(number, country_code=country)]))
        fails(await pager.judged(), CHECKS, f"of Ada reaches nobody: {why}")

    @line(SMS, "failed", "the rule points to a contact that was deleted", mutation=484)
    async def test_a_rule_that_points_to_nothing_fails(self, pager: Pager) -> None:
        await pager.behave(person(rules=[rule("CGONE")]))
        fails(await pager.judged(), CHECKS, "a rule of Ada for this urgency uses a contact that is gone")
        await pager.behave(person(rules=[rule(), rule("CGONE")]))
        shows(await pager.judged(), Verdict.WARNED, "a rule of Ada uses a contact that is gone")

    @line(SMS, "failed", "the second level's person has no phone", mutation=485)
    async def test_each_level_counts(self, pager: Pager) -> None:
        await pager.behave(person(), person("Bo", 2, contact_methods=[], rules=[]))
        fails(await pager.judged(), CHECKS, "Bo has no telephone number for pages")

    @line(SMS, "failed", "the person without a phone stands on the second page of the list", mutation=486)
    async def test_every_page_of_the_list_is_read(self, pager: Pager) -> None:
        await pager.behave(person(), person("Bo", 2, contact_methods=[], rules=[]), page=1)
        fails(await pager.judged(), CHECKS, "Bo has no telephone number for pages")

    @line(SMS, "passed", "(warned) the rule waits for 30 minutes", mutation=492)
    async def test_a_rule_that_waits_is_remarked_upon(self, pager: Pager) -> None:
        late = person(rules=[rule(delay=30)])
        await pager.behave(late)
        pager.drilled(late, NOW() - DAY)
        claim = await pager.judged()
        shows(claim, Verdict.WARNED, "Ada is told by telephone only 30 min after a page; lower the delay")

    async def test_a_page_that_is_still_to_go_out_proves_nothing(self, pager: Pager) -> None:
        await pager.behave(person(rules=[rule(delay=30)]))
        shows(await pager.judged(seconds=1), Verdict.INCONCLUSIVE, "it goes out after 30 min")


class TestDelivery:
    @line(SMS, "failed", "the carrier refused the message", mutation=487)
    async def test_a_message_that_failed_fails(self, pager: Pager) -> None:
        await pager.behave(sms="failed")
        claim = await pager.judged()
        fails(claim, CHECKS, r"Ada did not get the test message of \d{4}-.*Z: the message ended as 'failed'")
        assert pager.standins.pager.incidents[0].status == "resolved"
        await pager.behave()
        shows(await pager.judged(), Verdict.PASSED)
        assert pager.drills == 2

    @line(SMS, "failed", "the person was told by push message only", mutation=488)
    async def test_a_push_message_is_no_text_message(
        self, pager: Pager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tminus.alerting.pages.LATE_SECONDS", 1.0)
        push = method("", "push_notification")
        rules = [rule(), rule("CPUSH_NOTIFICATION")]
        await pager.behave(person(contact_methods=[method(), push], rules=rules), sms="none")
        fails(
            await pager.judged(), CHECKS, "Ada did not get the test message .*: no text message and no call"
        )

    async def test_a_message_on_its_way_proves_nothing(self, pager: Pager) -> None:
        await pager.behave(sms="in_progress")
        shows(await pager.judged(seconds=1), Verdict.INCONCLUSIVE, "it is on its way")

    @line(SMS, "passed", "(warned) the message came, and the person did not answer", mutation=490)
    async def test_who_does_not_answer_is_remarked_upon(self, pager: Pager) -> None:
        await pager.behave(person(), person("Bo", 2), answers=False)
        claim = await pager.judged(seconds=1)
        shows(claim, Verdict.WARNED, "Ada got the test message and has not answered it", "Bo got")

    @line(SMS, "passed", "(warned) the message came to one person, and another acknowledged", mutation=491)
    async def test_another_s_answer_is_remarked_upon(self, pager: Pager) -> None:
        await pager.behave(person(), answered_by="PSENDER")
        claim = await pager.judged()
        shows(claim, Verdict.WARNED, "Ada got the test message, and Sender acknowledged it in that person's")

    @line(SMS, "failed", "somebody new is on call, whom no test message reaches", mutation=493)
    async def test_a_drill_of_before_does_not_count_for_somebody_new(self, pager: Pager) -> None:
        shows(before := await pager.judged(), Verdict.PASSED)
        await pager.behave(person("Bo"), sms="failed")
        claim = await pager.judged()
        fails(claim, CHECKS, "Bo did not get the test message")
        await pager.behave(person("Bo"))
        shows(after := await pager.judged(), Verdict.PASSED, "answered it: Bo")
        assert before.fingerprint != after.fingerprint, "signatures over the old roster are void"

    @line(
        SMS, "passed", "(warned) the drill is eight days old, and the new one is not answered", mutation=494
    )
    async def test_a_drill_of_eight_days_ago_is_done_again(self, pager: Pager) -> None:
        await pager.behave(answers=False)
        pager.drilled(person(), NOW() - 8 * DAY)
        shows(await pager.judged(seconds=1), Verdict.WARNED, "has not answered it")
        assert pager.drills == 2

    async def test_a_test_that_nobody_comes_back_to_is_ended(self, pager: Pager) -> None:
        await pager.behave(answers=False)
        pager.drilled(person(), NOW() - 60 * DAY, answers=False)
        pager.drilled(person("Bo"), NOW() - DAY, answers=False)
        pager.standins.pager.open(
            {
                "incident": {"title": "a real page", "incident_key": "disk-full"},
                "people": [],
                "sender": SENDER,
                "behaviour": asdict(Behaviour()),
            },
            NOW() - 60 * DAY,
        )
        shows(await pager.judged(seconds=1), Verdict.WARNED, "Ada got the test message and has not answered")
        assert [one.status for one in pager.standins.pager.incidents] == [
            "resolved",
            "resolved",
            "triggered",
            "triggered",
        ]

    async def test_a_drill_of_six_days_ago_counts(self, pager: Pager) -> None:
        pager.drilled(person(), NOW() - 6 * DAY)
        shows(await pager.judged(), Verdict.PASSED)
        assert pager.drills == 1

    @line(
        SMS,
        "passed",
        "(warned) the drill was to another number, and the new one is not answered",
        mutation=495,
    )
    async def test_a_drill_of_another_number_is_done_again(self, pager: Pager) -> None:
        pager.drilled(person(), NOW() - DAY)
        pager.standins.pager.incidents[0].ended = NOW() - DAY + 60
        pager.standins.pager.incidents[0].status = "resolved"
        await pager.behave(person(contact_methods=[method(OTHER)]), answers=False)
        shows(await pager.judged(seconds=1), Verdict.WARNED, "has not answered it")
        assert pager.drills == 2


class TestPagerDuty:
    @line(SMS, "inconclusive", "nobody is on call", mutation=496)
    async def test_nobody_on_call_is_not_everybody(self, pager: Pager) -> None:
        await pager.behave(person(level=None))
        shows(
            await pager.judged(), Verdict.INCONCLUSIVE, "nobody is on call for depot", "nobody could be told"
        )

    @line(SMS, "error", "the pager's key was revoked, or it asks to wait", mutation=497)
    async def test_a_key_that_was_revoked_and_a_limit_are_errors(self, pager: Pager) -> None:
        shows(
            await pager.judged(pager.system("revoked")),
            Verdict.ERROR,
            "does not let us ask",
            "renew the token",
        )
        await pager.behave(status=429)
        shows(await pager.judged(), Verdict.ERROR, "takes no more requests of us now", "look again")

    @line(SMS, "failed", "what the service is paged about is of low urgency, and the rules are for high")
    async def test_a_service_whose_pages_are_of_another_urgency_fails_and_nobody_is_told(
        self, pager: Pager
    ) -> None:
        await pager.behave(urgency={"type": "constant", "urgency": "low"})
        fails(
            await pager.judged(), CHECKS, "critical alerts of depot .* are of low urgency, so what is set for"
        )
        assert pager.drills == 0
        shows(await pager.judged(severity="warning"), Verdict.FAILED, "no rule of Ada")

    async def test_a_service_that_is_quiet_outside_its_support_hours_is_remarked_upon(
        self, pager: Pager
    ) -> None:
        def hours(outside: str) -> dict[str, Any]:
            told = {"during": "severity_based", "outside": outside}
            each = {
                f"{when}_support_hours": {"type": "constant", "urgency": one} for when, one in told.items()
            }
            return {"type": "use_support_hours", **each}

        await pager.behave(urgency=hours("low"))
        shows(await pager.judged(), Verdict.WARNED, "are of low urgency outside its support hours")
        await pager.behave(urgency=hours("high"))
        shows(await pager.judged(), Verdict.PASSED)

    @line(SMS, "failed", "the service is in maintenance: nobody is paged for it")
    async def test_a_service_in_maintenance_fails_and_nobody_is_told(self, pager: Pager) -> None:
        await pager.behave(service="maintenance")
        fails(await pager.judged(), CHECKS, "is maintenance in PagerDuty: nobody is paged for it")
        assert pager.drills == 0

    async def test_a_sender_or_service_that_there_is_not_is_told_in_its_words(self, pager: Pager) -> None:
        claim = await pager.judged(sender="nobody@depot.example")
        shows(claim, Verdict.INCONCLUSIVE, "Requester User Not Found", "compare `service` and `sender`")
        shows(await pager.judged(sender=""), Verdict.INCONCLUSIVE, "in whose name a test page is sent")
        shows(await pager.judged(service="PNONE"), Verdict.INCONCLUSIVE, "no such service")

    async def test_warnings_are_told_by_rules_of_low_urgency(self, pager: Pager) -> None:
        await pager.behave(person(rules=[rule(urgency="low")]))
        shows(await pager.judged(severity="warning"), Verdict.PASSED)


class TestProvider:
    async def test_a_text_message_by_another_provider_is_answered_and_not_sent_again(
        self, pager: Pager
    ) -> None:
        for _ in range(2):
            shows(await pager.judged(provider="twilio"), Verdict.PASSED, "answered it: Ada")
        sent = [one for one in pager.standins.texts.messages if one.direction == "outbound-api"]
        assert len(sent) == 1
        assert sent[0].to == f"+44{NUMBER}"
        assert pager.drills == 0

    @line(SMS, "inconclusive", "the provider says sent, and never delivered", mutation=489)
    async def test_a_message_that_is_only_sent_proves_nothing(self, pager: Pager) -> None:
        await pager.text(status="sent")
        shows(await pager.judged(provider="twilio"), Verdict.INCONCLUSIVE, "the message is 'sent'", "Ada")

    async def test_a_message_that_was_not_delivered_or_refused_fails(self, pager: Pager) -> None:
        await pager.text(status="undelivered", error_code=30003)
        claim = await pager.judged(provider="twilio")
        fails(
            claim,
            CHECKS,
            r"Ada did not get the test message .*: the message ended as 'undelivered' \(30003\)",
        )

    async def test_a_message_without_an_answer_is_remarked_upon_and_not_sent_again(
        self, pager: Pager
    ) -> None:
        await pager.text(replies=False)
        for _ in range(2):
            shows(await pager.judged(provider="twilio", seconds=1), Verdict.WARNED, "has not answered it")
        assert len(pager.standins.texts.messages) == 1

    async def test_a_provider_that_refuses_us_or_is_away_is_an_error(self, pager: Pager) -> None:
        stranger = replace(pager.system(), providers={"twilio": pager.system("revoked").providers["twilio"]})
        claim = await pager.judged(stranger, provider="twilio")
        shows(claim, Verdict.ERROR, "does not let us send", "renew the token")
        await pager.text(http=503)
        shows(await pager.judged(provider="twilio"), Verdict.ERROR, "cannot answer now")

    async def test_a_provider_that_the_plan_lacks_proves_nothing(self, pager: Pager) -> None:
        shows(await pager.judged(provider="none"), Verdict.INCONCLUSIVE, "there is no provider none")
        broken = replace(pager.system(), providers={"twilio": Twilio("https://api.example")})
        shows(
            await pager.judged(broken, provider="twilio"),
            Verdict.INCONCLUSIVE,
            "address of the text messages",
        )


def test_the_demo_s_line_names_the_stand_in_s_service() -> None:
    assert (CHECKS.check(SMS).arguments or {})["service"] == SERVICE["id"]
