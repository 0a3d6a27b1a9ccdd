"""depot, the reference service: what a user can do in it, and what a user must not be able to do."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from time import monotonic
from typing import Annotated, Any, TypeVar

import aiohttp

from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError, ProbeError
from tminus.http import Answer, Http, connect
from tminus.probes import Probe
from tminus.webhooks import Hooks

T = TypeVar("T")

SEARCHABLE_WITHIN = 30.0
"""Seconds in which a new document must be found."""

OVERSIZE = 32 * 1024 * 1024
"""Bytes of a file that must be refused; depot's own limit is 25 MiB."""


@dataclass(frozen=True, slots=True)
class System:
    """One depot by its address, and the synthetic user that may log in."""

    address: str
    user: str
    password: str = field(repr=False)
    hooks: Hooks | None = None
    """How to be its partner; none where it has no partner, or nobody gave us the secret."""


class Steps:
    """Keeps what was done, and what of it was not as it must be."""

    def __init__(self) -> None:
        self.done: list[JsonValue] = []
        self.problems: list[JsonValue] = []

    def expect(self, what: str, reply: Answer, status: int) -> None:
        """Note one answer and whether it has the status it must have; bodies and tokens are not kept."""
        self.done.append(f"{what}: {reply.status}")
        if reply.status != status:
            self.problems.append(f"{what}: {reply.status}, not {status}")

    def demand(self, what: str, *, holds: bool) -> None:
        """Note a condition and whether it holds."""
        self.done.append(f"{what}: {'yes' if holds else 'no'}")
        if not holds:
            self.problems.append(f"{what}: no")


@Probe
async def login(depot: System, *, password: str = "") -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with logging in, tried both ways: the right password and token, and wrong ones.

    `password` is used in place of the right one: the negative control.
    """
    steps = Steps()
    async with connect(depot.address) as http:
        reply = await _login(http, depot, password or depot.password)
        steps.expect("login", reply, 200)
        token = _field(reply, "token", str) if reply.status == 200 else ""
        steps.expect("protected page with the token", await http.get("/me", token=token), 200)
        steps.expect("login with a wrong password", await _login(http, depot, secrets.token_hex(8)), 401)
        steps.expect(
            "protected page with a forged token", await http.get("/me", token=token[:-2] + "xx"), 401
        )
        steps.expect("protected page without a token", await http.get("/me"), 401)
    fact = "the right password and token open; a wrong password, a forged token and none do not"
    return Observation(steps.problems, {"steps": steps.done}, fact=fact)


@Probe
async def search(depot: System, *, look_for: str = "") -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with the search: a new document must be found soon, and gone documents not at all.

    `look_for` is searched for in place of the document's own word: the negative control.
    """
    steps = Steps()
    marker = f"marker{secrets.token_hex(6)}"
    async with _user(depot) as (http, token):
        document = {
            "title": f"tminus {marker}",
            "body": f"Synthetic document {marker}, removed after the check.",
        }
        made = await _post(http, token, "/documents", document)
        steps.expect("store a document", made, 201)
        number = _field(made, "id", int) if made.status == 201 else 0
        began = monotonic()
        patience = 2.0 if look_for else SEARCHABLE_WITHIN
        found = made.status == 201 and await _finds(http, token, look_for or marker, number, patience)
        steps.demand(f"the document is found within {SEARCHABLE_WITHIN:g} s", holds=found)
        took = monotonic() - began
        steps.expect("remove it", await _delete(http, token, f"/documents/{number}"), 204)
        still = await http.get(f"/search?q={marker}", token=token)
        steps.demand("a removed document is not found", holds=not _hits(still))
    fact = f"a new document was found after {took:.2f} s, and no more once it was removed"
    return Observation(steps.problems, {"steps": steps.done, "found_after_s": round(took, 3)}, fact=fact)


@Probe
async def upload(
    depot: System, *, kilobytes: int = 1024, alter: bool = False
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with files: up and down again unchanged; too large and of a wrong type refused.

    `alter` compares with other bytes than were sent: the negative control.
    """
    steps = Steps()
    content = os.urandom(kilobytes * 1024)
    async with _user(depot) as (http, token):
        sent = await _send(http, token, content, "application/octet-stream")
        steps.expect(f"upload of {kilobytes} kB", sent, 201)
        number = _field(sent, "id", int) if sent.status == 201 else 0
        back = await http.get(f"/files/{number}", token=token)
        expected = sha256(content[1:] if alter else content).hexdigest()
        steps.demand("the download has the same SHA-256", holds=sha256(back.body).hexdigest() == expected)
        steps.expect("upload of a script", await _send(http, token, b"<script>", "text/html"), 415)
        await _oversize(http, token, steps)
        steps.expect("remove it", await _delete(http, token, f"/files/{number}"), 204)
        steps.expect("download after removal", await http.get(f"/files/{number}", token=token), 404)
    fact = f"{len(content):,} bytes came back unchanged; a script and {OVERSIZE >> 20} MiB were refused"
    return Observation(steps.problems, {"steps": steps.done, "bytes": len(content)}, fact=fact)


@Probe
async def integrations(
    depot: System, *, within_seconds: float = 10.0, queued_seconds: float = 300.0, forge: bool = False
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with the integrations: an event to the partner, messages from it, and what waits for long.

    A document is stored, and the partner must take the event about it within this time, rightly signed. A message in
    the partner's name must be taken and kept; a forged, a late and a replayed one must be refused. Nothing may wait
    longer than `queued_seconds` for its delivery or its turn. `forge` signs the good message wrongly, too: the
    negative control.
    """
    if depot.hooks is None:
        raise InconclusiveError(
            "nobody told us how to be depot's partner",
            hint="give the launch the hook's secret and a partner to ask",
        )
    steps = Steps()
    async with _user(depot) as (http, token):
        took = await _outgoing(depot.hooks, http, token, steps, within_seconds)
        await _incoming(depot.hooks, http, token, steps, forge=forge)
        oldest = await _backlogs(http, token, steps, queued_seconds)
    fact = f"the partner took an event after {took:.2f} s; its own message was kept, forged and late ones refused"
    return Observation(steps.problems, {"event_after_s": took, **oldest, "steps": steps.done}, fact=fact)


@Probe
async def smoke(depot: System) -> Annotated[Observation, ValueKind.FINDINGS]:
    """The smoke tests that fail: health, login, store, search, upload, each once."""
    failures = await smoke_failures(depot)
    return Observation([*failures], {"tests": list(_SMOKE), "failed": len(failures)})


@Probe
async def integration(depot: System) -> Annotated[Observation, ValueKind.FINDINGS]:
    """The integration tests that fail: the service with its database, each journey with its refusals."""
    problems: list[JsonValue] = []
    tests: dict[str, JsonValue] = {}
    for name, test in _INTEGRATION.items():
        try:
            observation = await test(depot)
        except InconclusiveError as error:
            observation = Observation([str(error)])
        assert isinstance(observation.value, list)  # noqa: S101 - each of these probes gives a list of problems
        tests[name] = len(observation.value)
        problems += [f"{name}: {problem}" for problem in observation.value]
    return Observation(problems, {"tests": tests})


async def token(depot: System) -> str:
    """A bearer token of the synthetic user; raises `InconclusiveError` when it cannot log in."""
    async with _user(depot) as (_, given):
        return given


async def smoke_failures(depot: System) -> list[str]:
    """What fails at this address; raises `ProbeError` only when nothing answers at all."""
    async with connect(depot.address) as http:
        await http.get("/health")
    failures: list[str] = []
    for name, test in _SMOKE.items():
        try:
            failures += [f"{name}: {problem}" for problem in await test(depot)]
        except ProbeError as error:
            failures.append(f"{name}: {error}")
    return failures


async def _health(depot: System) -> list[JsonValue]:
    async with connect(depot.address) as http:
        reply = await http.get("/health")
    return [] if reply.status == 200 else [f"status {reply.status}"]


def _problems_of(probe: Probe) -> Callable[[System], Awaitable[list[JsonValue]]]:
    async def test(depot: System) -> list[JsonValue]:
        value = (await probe.run(depot)).value
        assert isinstance(value, list)  # noqa: S101 - these probes give a list of problems
        return value

    return test


_SMOKE: dict[str, Callable[[System], Awaitable[list[JsonValue]]]] = {
    "health": _health,
    "login": _problems_of(login),
    "search": _problems_of(search),
    "upload": _problems_of(upload),
}


@asynccontextmanager
async def _user(depot: System) -> AsyncIterator[tuple[Http, str]]:
    async with connect(depot.address) as http:
        reply = await _login(http, depot, depot.password)
        if reply.status != 200:
            raise InconclusiveError(
                f"the synthetic user cannot log in: {reply.status}",
                hint="look at the line about authentication first",
            )
        yield http, _field(reply, "token", str)


async def _login(http: Http, depot: System, password: str) -> Answer:
    return await http.ask("POST", "/login", json_body={"user": depot.user, "password": password})


async def _post(http: Http, token: str, path: str, body: Any) -> Answer:
    return await http.ask("POST", path, headers={"Authorization": f"Bearer {token}"}, json_body=body)


async def _delete(http: Http, token: str, path: str) -> Answer:
    return await http.ask("DELETE", path, headers={"Authorization": f"Bearer {token}"})


async def _send(http: Http, token: str, content: bytes, media_type: str) -> Answer:
    form = aiohttp.FormData()
    form.add_field("file", BytesIO(content), filename="tminus-check.bin", content_type=media_type)
    # With `Expect`, a server that refuses by the announced length never has to take the bytes.
    headers = {"Authorization": f"Bearer {token}", "Expect": "100-continue"}
    return await http.ask("POST", "/files", headers=headers, data=form)


async def _oversize(http: Http, token: str, steps: Steps) -> None:
    """A file above the limit must be refused; one that was taken is removed again."""
    sent = await _send(http, token, bytes(OVERSIZE), "application/octet-stream")
    steps.expect(f"upload of {OVERSIZE >> 20} MiB", sent, 413)
    if sent.status == 201:
        await _delete(http, token, f"/files/{_field(sent, 'id', int)}")


async def _finds(http: Http, token: str, word: str, number: int, seconds: float) -> bool:
    deadline = monotonic() + seconds
    while True:
        if number in _hits(await http.get(f"/search?q={word}", token=token)):
            return True
        if monotonic() >= deadline:
            return False
        await asyncio.sleep(0.2)


def _hits(reply: Answer) -> list[int]:
    if reply.status != 200:
        return []
    return [row["id"] for row in _field(reply, "results", list) if isinstance(row, dict) and "id" in row]


def _field(reply: Answer, name: str, kind: type[T]) -> T:
    """One field of an answer; raises `InconclusiveError` for an answer without it."""
    body = reply.json()
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, kind):
        raise InconclusiveError(
            f"the answer ({reply.status}) has no {name!r}", hint="see what stands at this address"
        )
    return value


async def _outgoing(hooks: Hooks, http: Http, token: str, steps: Steps, seconds: float) -> float:
    """An event must reach the partner; how long that took."""
    title = f"tminus event {secrets.token_hex(6)}"
    made = await _post(
        http, token, "/documents", {"title": title, "body": "Synthetic, removed after the check."}
    )
    steps.expect("store a document", made, 201)
    began = monotonic()
    event = await hooks.arrived(title, seconds)
    took = round(monotonic() - began, 3)
    if not event:
        steps.demand(f"the event about it reaches the partner within {seconds:g} s", holds=False)
    else:
        steps.demand("the event's signature is right", holds=event.get("signed") is True)
        steps.demand(
            f"the partner takes the event (it said {event.get('answer')})", holds=event.get("answer") == 200
        )
    if made.status == 201:
        steps.expect("remove it", await _delete(http, token, f"/documents/{_field(made, 'id', int)}"), 204)
    return took


async def _incoming(hooks: Hooks, http: Http, token: str, steps: Steps, *, forge: bool) -> None:
    """A message of the partner must be taken once, and whatever only looks like one must be refused."""
    good, bad = hooks.message(), hooks.message()
    proof = good.proof(forged=forge)
    steps.expect("a signed message", await good.send(http, proof), 200)
    steps.expect("what became of it", await http.get(f"/hooks/{good.id}", token=token), 200)
    steps.expect("the same message played again", await good.send(http, proof), 409)
    steps.expect("a message of an hour ago", await bad.send(http, bad.proof(late=True)), 401)
    steps.expect("a forged message", await bad.send(http, bad.proof(forged=True)), 401)
    steps.expect("what became of the forged one", await http.get(f"/hooks/{bad.id}", token=token), 404)


async def _backlogs(http: Http, token: str, steps: Steps, seconds: float) -> dict[str, JsonValue]:
    """Nothing may wait for long; the age of the oldest that waits, by backlog."""
    told = await http.get("/integrations", token=token)
    steps.expect("how the integrations stand", told, 200)
    ages: dict[str, JsonValue] = {}
    for name, what in (("outgoing", "event"), ("queue", "job")):
        state = _field(told, name, dict) if told.status == 200 else {}
        age = state.get("oldest_seconds")
        if state.get("ok") is not True or not isinstance(age, int | float):
            steps.demand(f"the {name} can be read", holds=False)
            continue
        ages[f"{name}_oldest_s"] = age
        waits = f"the oldest {what} waits for less than {seconds:g} s (it waits for {age:g} s)"
        steps.demand(waits, holds=age < seconds)
    return ages


async def _pages(depot: System) -> Observation:
    """A document can be read back as it was stored, is listed, and is private."""
    steps = Steps()
    async with _user(depot) as (http, token):
        made = await _post(http, token, "/documents", {"title": "tminus pages", "body": "as it was stored"})
        steps.expect("store a document", made, 201)
        number = _field(made, "id", int) if made.status == 201 else 0
        read = await http.get(f"/documents/{number}", token=token)
        steps.demand(
            "it reads back as stored",
            holds=read.status == 200 and _field(read, "body", str) == "as it was stored",
        )
        steps.expect("the newest documents", await http.get("/documents?limit=5", token=token), 200)
        steps.expect("a document without a token", await http.get(f"/documents/{number}"), 401)
        steps.expect("a document without a title", await _post(http, token, "/documents", {"body": "x"}), 422)
        steps.expect("remove it", await _delete(http, token, f"/documents/{number}"), 204)
        steps.expect("read after removal", await http.get(f"/documents/{number}", token=token), 404)
    return Observation(steps.problems, {"steps": steps.done})


_INTEGRATION: dict[str, Callable[[System], Awaitable[Observation]]] = {
    "login": login.run,
    "search": search.run,
    "upload": upload.run,
    "documents": _pages,
}
