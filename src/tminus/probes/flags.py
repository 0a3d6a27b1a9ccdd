"""Feature flags by the OpenFeature Remote Evaluation Protocol: what each flag says to each audience.

Protocol: https://github.com/open-feature/protocol, `service/openapi.yaml`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation, digest
from tminus.domain.value import ValueKind
from tminus.errors import DeniedError, InconclusiveError
from tminus.http import Answer, Http, connect, must_serve
from tminus.probes import Probe

EVALUATE = "/ofrep/v1/evaluate/flags"
_ROW = frozenset({"flag", "context", "value", "variant", "reason"})


@dataclass(frozen=True, slots=True)
class System:
    """One flag service by its address, and how one gets the bearer token that it asks for."""

    address: str
    token: Callable[[], Awaitable[str]]


@Probe
async def evaluate(
    flags: System,
    *,
    expected: list[dict[str, str | float | bool | dict[str, str | float | bool]]],
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """Where flags do not say what the plan's table says, each asked with the row's own context.

    A row holds `flag` and `value`, and may hold `context`, `variant` and `reason`. Another value or variant, another
    type, or a flag that is not there is wrong. A right value for another reason than planned is remarked upon, and so
    is one that is STALE: the service answers from memory.
    """
    _demand_rows(expected)
    token = await flags.token()
    problems: list[JsonValue] = []
    remarks: list[str] = []
    told: list[JsonValue] = []
    async with connect(flags.address) as http:
        for row in expected:
            reply = await _ask(http, token, f"{EVALUATE}/{quote(str(row['flag']), safe='')}", row)
            answer = _read(reply)
            told.append({"asked": _who(row), **answer})
            problems += _wrong(row, answer)
            remarks += _odd(row, answer)
        every = await http.ask("POST", EVALUATE, headers=_bearer(token), json_body={"context": {}})
    tag = every.headers.get("etag", "")
    seen: dict[str, JsonValue] = {"rows": len(expected), "etag": tag, "answers": told}
    fact = f"{len(expected)} of {len(expected)} questions are answered as the plan says"
    return Observation(problems, seen, {"answers": digest(told)}, tuple(remarks), fact)


def _demand_rows(rows: list[dict[str, Any]]) -> None:
    """Raise `InconclusiveError` for a table that asks for nothing, or for something else than flags."""
    if not rows:
        raise InconclusiveError(
            "the plan's table of flags is empty",
            hint="write a row for each flag and audience under `expected`",
        )
    for number, row in enumerate(rows, 1):
        unknown = ", ".join(sorted(set(row) - _ROW))
        if unknown or "value" not in row or not isinstance(row.get("flag"), str):
            raise InconclusiveError(
                f"row {number} of the plan's table {f'holds {unknown}' if unknown else 'lacks flag or value'}",
                hint="a row holds flag and value, and may hold context, variant and reason",
            )


async def _ask(http: Http, token: str, path: str, row: Mapping[str, Any]) -> Answer:
    reply = await http.ask(
        "POST", path, headers=_bearer(token), json_body={"context": row.get("context", {})}
    )
    if reply.status in {401, 403}:
        raise DeniedError(
            f"the flag service refuses our token: {reply.status}",
            hint="let the synthetic user evaluate flags",
        )
    must_serve(reply, "the flag service")
    if reply.status not in {200, 400, 404}:
        raise InconclusiveError(
            f"the flag service answers {reply.status}", hint="see its log; can it read its definitions?"
        )
    return reply


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _read(reply: Answer) -> dict[str, JsonValue]:
    """Value, variant and reason of one evaluation, or its error; raises `InconclusiveError` for neither."""
    body = reply.json()
    if isinstance(body, dict) and reply.status == 200 and "value" in body:
        return {"value": body["value"], "variant": body.get("variant"), "reason": body.get("reason")}
    if isinstance(body, dict) and reply.status != 200 and isinstance(body.get("errorCode"), str):
        return {"error": body["errorCode"]}
    raise InconclusiveError(
        f"the answer ({reply.status}) is no evaluation of a flag", hint="see what stands at this address"
    )


def _wrong(row: Mapping[str, Any], answer: Mapping[str, JsonValue]) -> list[str]:
    who = _who(row)
    if "error" in answer:
        return [f"{who}: {answer['error']}"]
    value = answer["value"]
    if _kind(value) != _kind(row["value"]):
        return [f"{who} is {_kind(value)} {value!r}, not {_kind(row['value'])} {row['value']!r}"]
    found = [] if value == row["value"] else [f"{who} is {value!r}, not {row['value']!r}"]
    if "variant" in row and answer["variant"] != row["variant"]:
        found.append(f"{who} has the variant {answer['variant']!r}, not {row['variant']!r}")
    return found


def _odd(row: Mapping[str, Any], answer: Mapping[str, JsonValue]) -> list[str]:
    """What is not wrong and yet not as planned: the right value for another reason."""
    reason = answer.get("reason")
    if "error" in answer or reason == row.get("reason", reason if reason != "STALE" else ""):
        return []
    planned = f", not {row['reason']}" if "reason" in row else ""
    return [f"{_who(row)}: the reason is {reason}{planned}; see the flag's rules, and try its kill switch"]


def _who(row: Mapping[str, Any]) -> str:
    context = row.get("context") or {}
    audience = ", ".join(f"{name} {value}" for name, value in context.items()) or "everybody"
    return f"{row['flag']} for {audience}"


def _kind(value: object) -> str:
    """The type of a flag's value as JSON has it; a number is a number, with or without a point."""
    kinds: dict[type, str] = {bool: "boolean", int: "number", float: "number", str: "text", dict: "object"}
    return kinds.get(type(value), "no value")
