"""Websites: what an address answers."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from tminus.domain.evidence import JsonValue, Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError
from tminus.http import Answer, bare, connect
from tminus.probes import Probe


@dataclass(frozen=True, slots=True)
class System:
    """One service by its public name."""

    address: str


@Probe
async def answer(site: System, *, path: str) -> Annotated[Observation, ValueKind.STATUS]:
    """The HTTP status of one GET."""
    async with connect(site.address) as http:
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
    return Observation(problems, {"url": bare(site.address + path), "answers": seen}, {"digest": digest})


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
