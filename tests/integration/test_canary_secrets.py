"""Secrets of every kind that a launch by people touches are found nowhere but where they were put.

The systems are hostile: each repeats whatever it was told, in its answer.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from aiohttp import web

from tminus.domain.course import course_of
from tminus.domain.rollout import State
from tminus.processes import wait_until
from tminus.wiring import SystemClock

if TYPE_CHECKING:
    from tests.integration.test_launch_workers import DIGEST, Yard, yard_at
else:
    from test_launch_workers import DIGEST, Yard, yard_at

pytestmark = pytest.mark.slow

PLAN = Path(__file__).with_name("people_plan.yaml")
SYSTEMS = """systems:
  website: {kind: website, real: false, address: "env:SITE"}
  prometheus: {kind: prometheus, real: false, address: "file:PLACE/prometheus"}
  alertmanager: {kind: alertmanager, real: false, address: "env:ALERTMANAGER"}
  redis: {kind: redis, real: false, address: "env:REDIS"}
  registry: {kind: registry, real: false, address: "file:PLACE/registry"}
  logs: {kind: logs, real: false, address: "env:LOGS"}
  pager: {kind: pagerduty, real: false, address: "file:PLACE/pager"}
  texts: {kind: twilio, real: false, address: "env:TEXTS"}
  grafana: {kind: grafana, real: false, address: "file:PLACE/grafana"}
  vault: {kind: vault, real: false, address: "env:VAULT"}
  kubernetes: {kind: kubernetes, real: false, address: "env:KUBECONFIG"}
"""
_LINE = "    - {id: %s, line: it is well, due: T-1h, owner: qa, severity: advisory, probe: %s, expect: %s}\n"
LINES = "".join(
    _LINE % line
    for line in (
        ("ok.err", "prometheus.errors, with: {seconds: 60}", "< 1%"),
        ("route.all", "alertmanager.routes", "empty"),
        ("bk.redis", "redis.snapshot", "empty"),
        ("rb.images", 'registry.image, with: {digest: "${release}"}', "empty"),
        ("ok.logs", "logs.arrived, with: {labels: {app: shop}, instances: 1, requests: 1, lag: 1s}", "empty"),
        ("route.sms", "pagerduty.sms, with: {system: pager, service: P1, provider: texts}", "empty"),
        ("dash.app", "grafana.dashboard, with: {kind: application}", "empty"),
        ("bk.vault", "vault.snapshot, with: {automatic: daily}", "empty"),
        ("cfg.configmaps", "kubernetes.configmaps, with: {namespace: shop, names: [shop]}", "empty"),
        ("cfg.secrets", "kubernetes.secrets, with: {namespace: shop, names: [shop]}", "empty"),
    )
)
NOTIFY = "notify: {mail: env:MAIL, sender: Launch control <launches@shop.example>, slack: env:ROOM}\n"
PEOPLE = {
    "lead": "Lena Ortiz",
    "devops": "Dario Voss",
    "engineering": "Emil Berg",
    "security": "Sofia Ricci",
    "qa": "Quentin Mbeki",
    "cto": "Chiyo Tanaka",
}
KINDS = (
    *(
        "site",
        "prometheus",
        "alertmanager",
        "redis",
        "registry",
        "mail",
        "hook",
        "room",
        "passphrase",
        "file",
        "logs",
        "pager",
        "texts",
        "grafana",
        "vault",
        "kubernetes",
    ),
    *("fetched", "login", "query", "statement", "reason", "note", "text", "order"),
)
CANARY = {kind: f"Canary{number:02}x{kind}x7f3a9c" for number, kind in enumerate(KINDS)}
"""By where it is planted."""


def token(kind: str) -> str:
    """A canary as it stands in a text: in the form of a token that everybody knows."""
    return f"ghp_{CANARY[kind]}"


@dataclass
class World:
    """Systems that repeat what they are told, and what each of them heard."""

    yard: Yard
    place: Path
    http: int
    smtp: int
    heard: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """What every command printed."""

    async def typed(self, *words: str, code: int = 0) -> str:
        ended, said = await self.yard.typed(*words)
        self.said.append(said)
        assert ended == code, said
        return said

    def environment(self) -> dict[str, str]:
        here = f"127.0.0.1:{self.http}"
        for name in ("prometheus", "registry", "pager"):
            (self.place / name).write_text(f"http://user:{CANARY[name]}@{here}/{name}")
        (self.place / "hook").write_text(f"http://{here}/services/{CANARY['hook']}")
        (self.place / "grafana").write_text(f"http://:{CANARY['grafana']}@{here}/grafana")
        (self.place / "passphrase").write_text(CANARY["passphrase"])
        (self.place / "kubeconfig").write_text(json.dumps(self._kubeconfig(f"http://{here}/cluster")))
        return {
            "SITE": f"http://user:{CANARY['site']}@{here}",
            "ALERTMANAGER": f"http://{here}/?key={CANARY['alertmanager']}",
            "LOGS": f"loki+http://user:{CANARY['logs']}@{here}/logs",
            "TEXTS": f"http://AC1:{CANARY['texts']}@{here}/texts?from=15005550006",
            "VAULT": f"http://:{CANARY['vault']}@{here}/vault",
            "KUBECONFIG": str(self.place / "kubeconfig"),
            "REDIS": f"redis://:{CANARY['redis']}@127.0.0.1:{self.http}/0",
            "MAIL": f"smtp://user:{CANARY['mail']}@127.0.0.1:{self.smtp}",
            "ROOM": f"http://{here}/services/{CANARY['room']}",
            "TMINUS_PASSPHRASE": f"file:{self.place / 'passphrase'}",
        }

    @staticmethod
    def _kubeconfig(server: str) -> dict[str, object]:
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "it", "cluster": {"server": server}}],
            "users": [{"name": "robot", "user": {"token": CANARY["kubernetes"]}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "robot"}}],
            "current-context": "it",
        }

    def plan(self) -> Path:
        text = PLAN.read_text(encoding="utf-8")
        begin, end = text.index("systems:"), text.index("roles:")
        text = f"{text[:begin]}{SYSTEMS}{text[end:]}".replace("\n  Launch:\n", f"\n{LINES}  Launch:\n")
        text = text.replace("PLACE", str(self.place))
        lead = "person: Lena Ortiz,"
        text = text.replace(lead, f'{lead} email: lena@shop.example, slack: "file:{self.place / "hook"}",')
        path = self.place / "plan.yaml"
        path.write_text(text + NOTIFY, encoding="utf-8")
        return path


@asynccontextmanager
async def world_at(folder: Path) -> AsyncIterator[World]:
    heard: list[str] = []

    async def echo(request: web.Request) -> web.Response:
        vault = request.headers.get("X-Vault-Token", "")
        told = f"{request.path_qs} {request.headers.get('Authorization', vault)}"
        heard.append(told)
        if request.path == "/shown":
            return web.Response(text=f"the export of tonight\n{token('fetched')}\n")
        if request.path == "/report":
            return web.Response(text="all six answered")
        if request.path.endswith("/sys/health"):  # nobody shows a token to what is no Vault
            return web.json_response({"initialized": True, "sealed": False, "standby": False, "version": "1"})
        status = 403 if request.path.startswith("/services") else 200
        return web.Response(status=status, text=told[-58:], headers={"X-Told": told})

    async def mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode():
            heard.append(line)
            if line.upper().startswith("EHLO"):
                writer.write(b"250-here\r\n250 AUTH LOGIN PLAIN\r\n")
            else:
                writer.write(f"535 no such user: user {CANARY['mail']}\r\n".encode())
            await writer.drain()
        writer.close()

    site = web.Application()
    site.add_routes([web.route("*", "/{path:.*}", echo)])
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = await asyncio.start_server(mail, "127.0.0.1", 0)
    place, home = folder / "secrets", folder / "home"
    await asyncio.to_thread(place.mkdir)
    await asyncio.to_thread(home.mkdir)
    async with yard_at(f"sqlite:///{home / 'tminus.db'}", home) as yard:
        world = World(yard, place, runner.addresses[0][1], server.sockets[0].getsockname()[1], heard)
        yard.more = world.environment()
        try:
            yield world
        finally:
            server.close()
            await runner.cleanup()


async def opened(world: World) -> str:
    """Everybody's keys, a worker, and a launch whose poll opens soon; its plan's own commands too."""
    plan = str(world.plan())
    for role, person in PEOPLE.items():
        await world.typed("key", "new", person, "--role", role)
        await world.typed("trust", "add", person)
    await world.typed("plan", "show", plan)
    await world.yard.typed("plan", "check", plan)
    _, said = await world.yard.typed("check", plan, "--format", "json")
    world.said.append(said)
    await world.yard.work("w1")
    t0 = datetime.fromtimestamp(SystemClock().now() + 600, UTC).isoformat()
    about = ("--release", f"shop={DIGEST}", "--t0", t0, "--environment", "canary", "--json")
    said = await world.typed("launch", plan, *about)
    return said.split('"launch": "')[1].split('"')[0]


async def tempted(world: World) -> None:
    """People type and show secrets: each is refused, and repeated nowhere."""
    shown = world.place / "run.log"
    shown.write_text(f"restored\ngit clone with {token('file')}\n")
    address = f"127.0.0.1:{world.http}"
    word = ("attest", "canary", "team.ready", "--statement")
    wish = ("--risk", "users ask", "--compensating", "we answer", "--until", _hours(2))
    for words in (
        (*word, f"seen at https://ci.example/run?token={CANARY['statement']}"),
        (*word, "seen", "--evidence", str(shown)),
        (*word, "seen", "--evidence", f"http://{address}/shown"),
        (*word, "seen", "--evidence", f"http://me:{CANARY['login']}@{address}/report"),
        ("waive", "canary", "notes.out", "--role", "qa", "--reason", token("reason"), *wish),
        ("hold", "canary", "--reason", token("order")),
    ):
        assert "holds" in await world.typed(*words, code=3)
    query = f"http://{address}/report?token={CANARY['query']}"
    await world.typed(*word, "everybody answered", "--evidence", query)


async def signed(world: World) -> None:
    """The poll, with secrets in people's notes, to a NO-GO and the end."""
    for role in ("devops", "qa"):
        await world.typed("attest", "canary", "rb.tested", "--statement", "back in 4 s", "--role", role)
    said = ("sign", "canary", "go", "--role", "qa", "--yes")
    assert "holds" in await world.typed(*said, "--note", token("note"), code=3)
    await world.typed(*said)
    no_go = ("decide", "canary", "no-go", "--reason", "people", "--unscheduled", "--yes", "--text")
    assert "holds" in await world.typed(*no_go, token("text"), code=3)
    await world.typed(*no_go, "one is ill")
    await world.typed("status", "canary")
    await world.typed("scrub", "canary", "--reason", "the test is over")


def found(world: World, launch: str) -> dict[str, list[str]]:
    """Where each canary came up: in what was printed, and in any file of the home, as written or encoded."""
    assert (world.yard.home / "launches" / launch / "record.jsonl").exists()
    texts = {f"command {number}": said.encode() for number, said in enumerate(world.said)}
    texts |= {str(path): path.read_bytes() for path in world.yard.home.rglob("*") if path.is_file()}
    assert any(b"everybody answered" in text for text in texts.values()), "what is looked through holds words"
    return {
        kind: places
        for kind, secret in CANARY.items()
        if (places := [name for name, text in texts.items() if any(form in text for form in _forms(secret))])
    }


def _forms(secret: str) -> set[bytes]:
    logins = (secret, f"user:{secret}", f"\0user\0{secret}")
    encoded = {b64encode(login.encode()).rstrip(b"=")[:-1] for login in logins}
    return {secret.encode(), quote(secret).encode(), *encoded}


def _hours(hours: float) -> str:
    return datetime.fromtimestamp(SystemClock().now() + hours * 3600, UTC).isoformat(timespec="seconds")


async def test_no_secret_is_found_in_record_evidence_log_or_output(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        launch = await opened(world)
        await tempted(world)

        async def polling() -> bool:
            events = await world.yard.events(launch)
            undelivered = {str(e.data["channel"]) for e in events if e.type == "notice.undelivered"}
            return course_of(events).phase is State.POLLING and undelivered >= {"mail", "slack"}

        await wait_until(polling, 120, "the poll, and both channels to refuse", log=world.yard.log("w1"))
        await signed(world)
        for kind in ("json", "html"):
            await world.typed("export", launch, "--format", kind)
        record = world.yard.home / "launches" / launch / "record.jsonl"
        await world.typed("verify", str(record))
        assert await world.yard.stopped("w1") == 0
        heard = " ".join(world.heard)
        for kind in ("hook", "room", "query", "grafana", "vault", "kubernetes"):
            assert CANARY[kind] in heard, f"the secret of the {kind} was used"
        assert any(line.startswith("AUTH") for line in world.heard), "the mail server was given the login"
        assert await asyncio.to_thread(found, world, launch) == {}
