"""Websites: what an address answers, whom its limits stop, and whose pages it lets in."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic
from typing import Annotated

from tminus import browsers
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError
from tminus.http import Answer, Http, alongside, bare, connect
from tminus.probes import Probe

AT_ONCE = 4
"""Requests of one client on their way at the same time; more would measure how a service bears a rush."""

NEAR = 0.1
"""A limit that is off by this share is remarked upon and not called wrong."""


@dataclass(frozen=True, slots=True)
class System:
    """One service by its public name."""

    address: str


@Probe
async def answer(site: System, *, path: str) -> Annotated[Observation, ValueKind.STATUS]:
    """The HTTP status of one GET."""
    async with alongside(site.address) as http:
        reply = await http.get(path)
    return Observation(
        reply.status, {"url": bare(site.address + path), "ms": reply.ms, "sha256": _sha256(reply)}
    )


@Probe
async def health(
    site: System, *, path: str, digest: str, times: int = 5
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with a health page, asked several times in a row: status, digest, dependencies."""
    problems: list[JsonValue] = []
    seen: list[JsonValue] = []
    async with connect(site.address) as http:
        for number in range(times):
            reply = await http.get(path)
            seen.append({"status": reply.status, "ms": round(reply.ms, 1)})
            problems += [f"answer {number + 1}: {what}" for what in _unwell(reply, digest)]
    if not seen:
        raise InconclusiveError("the page was never asked", hint="let `times` be 1 or more")
    fact = f"{times} of {times} answers of {path} are well, and of the release"
    told: dict[str, JsonValue] = {"url": bare(site.address + path), "answers": seen}
    return Observation(problems, told, {"digest": digest}, fact=fact)


@Probe
async def ratelimit(  # noqa: PLR0913 - each is what a plan may say
    site: System,
    *,
    path: str,
    client: dict[str, str],
    other: dict[str, str],
    limit_requests: int,
    window_seconds: float,
    excess_requests: int = 5,
    health: str = "/health",
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with a client's limit, tried with a client whose limit is low and made for this check.

    The planned number of requests and some more are sent in one window, which is a few seconds long: exactly those
    more must get 429. Another client must be served meanwhile, and the health page must answer the first one. `client`
    and `other` are the headers by which the service tells the two apart: names that open nothing, never credentials.
    """
    total = limit_requests + excess_requests
    async with connect(site.address) as http:
        first = await _fresh(http, path, client, window_seconds)
        began = monotonic()
        answers = [first, *await _many(http, path, client, total - 1)]
        took = monotonic() - began
        neighbour = await http.ask("GET", path, headers=other)
        page = await http.ask("GET", health, headers=client)
    if took >= window_seconds:
        raise InconclusiveError(
            f"sending {total} requests took {took:.1f} s, longer than the window of {window_seconds:g} s",
            hint="give the probe's key a longer window, or see why the service is slow",
        )
    problems, remarks = _miscounted(answers, limit_requests)
    if neighbour.status == 429:
        problems.append("another client's key was refused too: the limit does not tell clients apart")
    if page.status == 429:
        problems.append("the health page was refused too: the limit hides how the service is")
    counts: dict[str, JsonValue] = {
        str(status): count for status, count in sorted(Counter(answer.status for answer in answers).items())
    }
    policy = first.headers.get("ratelimit-policy", "")
    seen: dict[str, JsonValue] = {
        "url": bare(site.address + path),
        "sent": total,
        "seconds": round(took, 3),
        "policy": policy,
        "other": neighbour.status,
        "health": page.status,
        "statuses": counts,
    }
    material: dict[str, JsonValue] = {"limit": limit_requests, "window": window_seconds, "policy": policy}
    fact = f"{limit_requests} of {total} requests in {took:.1f} s were let through; another client and {health} too"
    return Observation([*problems], seen, material, tuple(remarks), fact)


@Probe
async def cors(
    site: System,
    *,
    path: str,
    origins: list[str],
    methods: list[str],
    headers: list[str],
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """Where a service lets pages of other origins in, and should not; and where it keeps out those it should let in.

    Each origin of the plan asks, as a browser does, for each method with these headers, and then gets the path. The
    same is tried by a foreign origin, by `null`, and for each allowed origin by its `http` form, a sibling subdomain
    and a name that only begins like it.
    """
    if not origins or not methods:
        raise InconclusiveError(
            "the plan allows no origin or no method", hint="write what pages may do under origins and methods"
        )
    problems: list[JsonValue] = []
    remarks: list[str] = []
    matrix: dict[str, JsonValue] = {}
    statuses: list[int] = []
    async with connect(site.address) as http:
        for origin in origins:
            answers = await browsers.as_a_page(http, path, origin, methods, headers)
            statuses += [reply.status for reply in answers.values()]
            matrix[origin] = {what: browsers.access(reply) for what, reply in answers.items()}
            problems += browsers.kept_out(origin, answers, headers)
            remarks += browsers.kept_long(origin, answers)
        for origin in browsers.foreign(origins):
            answers = await browsers.as_a_page(http, path, origin, methods[:1], headers)
            statuses += [reply.status for reply in answers.values()]
            matrix[origin] = {what: browsers.access(reply) for what, reply in answers.items()}
            problems += browsers.let_in(origin, answers)
    browsers.demand_path(path, statuses)
    seen: dict[str, JsonValue] = {
        "url": bare(site.address + path),
        "origins": len(origins),
        "foreign": len(matrix) - len(origins),
        "matrix": matrix,
    }
    fact = f"{len(origins)} origins are let in, {len(matrix) - len(origins)} foreign ones are not"
    return Observation(problems, seen, {"origins": [*origins], "answers": matrix}, tuple(remarks), fact)


async def _many(http: Http, path: str, client: Mapping[str, str], count: int) -> list[Answer]:
    """So many answers, some asked for side by side, so that a slow service gives them within one window."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one() -> Answer:
        async with limit:
            return await http.ask("GET", path, headers=client)

    return await asyncio.gather(*(one() for _ in range(count)))


async def _fresh(http: Http, path: str, client: Mapping[str, str], window: float) -> Answer:
    """The first answer of a new window; waits for the end of one that was begun already."""
    reply = await http.ask("GET", path, headers=client)
    if not _opens(reply):
        await asyncio.sleep(min(_whole(reply.headers.get("ratelimit-reset"), window), window))
        reply = await http.ask("GET", path, headers=client)
    if reply.status == 429:
        raise InconclusiveError(
            "the probe's key is refused at the start of a window", hint="see who else uses this key"
        )
    if reply.status >= 500:
        raise InconclusiveError(
            f"the path answers {reply.status} below every limit", hint="see why it fails, then look again"
        )
    return reply


def _opens(reply: Answer) -> bool:
    """Whether this was the first request of its window, as far as the service says."""
    told = reply.headers
    left = _whole(told.get("ratelimit-remaining"), -1.0)
    return reply.status != 429 and left == _whole(told.get("ratelimit-limit"), -1.0) - 1


def _whole(text: str | None, otherwise: float) -> float:
    return float(text) if text is not None and text.isascii() and text.isdigit() else otherwise


def _miscounted(answers: Sequence[Answer], limit: int) -> tuple[list[str], list[str]]:
    """What is wrong with how many were stopped, and how; and what is only remarkable."""
    stopped = [answer for answer in answers if answer.status == 429]
    broken = sorted({answer.status for answer in answers if answer.status >= 500})
    through = len(answers) - len(stopped) - sum(answer.status >= 500 for answer in answers)
    words = f"{through} of {len(answers)} requests were let through, planned are {limit}"
    problems, remarks = [], []
    if broken:
        told = ", ".join(map(str, broken))
        problems.append(f"requests above the limit were answered with {told}, not with 429")
    if stopped and 0 < abs(through - limit) <= NEAR * limit:
        remarks.append(f"{words}; let the service and the plan say the same")
    elif through > limit or (through < limit and not broken):
        problems.append(words)
    if any(not _says_when(answer) for answer in stopped):
        remarks.append("429 came without Retry-After and RateLimit-*; let it say when to come back")
    return problems, remarks


def _says_when(answer: Answer) -> bool:
    return any(name == "retry-after" or name.startswith("ratelimit") for name in answer.headers)


def _unwell(reply: Answer, digest: str) -> list[str]:
    if reply.status != 200:
        return [f"status {reply.status}"]
    body = reply.json()
    if not isinstance(body, dict):
        raise InconclusiveError(
            "the health page holds no JSON object", hint="see what stands at this address"
        )
    found = []
    if body.get("digest") != digest:
        found.append(f"runs {body.get('digest')}, not {digest}")
    named = body.get("dependencies")
    dependencies = named if isinstance(named, dict) else {}
    down = [name for name, state in dependencies.items() if not (isinstance(state, dict) and state.get("ok"))]
    if down or not dependencies:
        found.append(f"dependencies down: {', '.join(down) or 'none is named'}")
    return found


def _sha256(reply: Answer) -> str:
    return sha256(reply.body).hexdigest()
