"""`tminus doctor`: how the common database and the place of evidence stand, and what to do; it only reads."""

import asyncio
import json as json_text
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from tminus.config import database_url, evidence_place
from tminus.domain.diagnosis import findings
from tminus.domain.health import Finding, Grade
from tminus.engine.survey import SECONDS, survey
from tminus.engine.upkeep import PULSE
from tminus.errors import Exit, PartError, TminusError
from tminus.evidence import place
from tminus.planfile.problem import printable
from tminus.store.tables import shown
from tminus.wiring import SystemClock

SIGNS = {Grade.OK: "✓", Grade.WARNING: "!", Grade.FAILED: "✗", Grade.UNKNOWN: "?"}
NOBODYS = "0" * 64
"""A digest under which nothing is ever kept."""
LISTED = 8
"""Findings of one subject that are printed; the rest is counted. --json holds all."""


def doctor(
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=600, help="Seconds that the look may take.")
    ] = SECONDS,
) -> None:
    """Say how the common database and its workers stand.

    It looks at workers, late launches, queues, clocks and disk, and only reads. Ends with 0 when nothing failed, else
    with 1; a warning, and what could not be seen, are told and change nothing.
    """
    url = database_url()
    found = _found(url, timeout)
    worst = Exit.FAILED if any(one.grade is Grade.FAILED for one in found) else Exit.PASSED
    if json:
        typer.echo(json_text.dumps(_as_json(shown(url), found), indent=2, ensure_ascii=False))
    else:
        typer.echo(printable("\n".join(_lines(shown(url), found))))
    raise typer.Exit(int(worst))


def _found(url: str, seconds: float) -> list[Finding]:
    try:
        seen = survey(url, SystemClock().now, seconds)
    except PartError as error:
        return [
            Finding("database", Grade.FAILED, str(error), error.hint),
            Finding("all else", Grade.UNKNOWN, "nothing else can be seen without it"),
        ]
    answers = Finding("database", Grade.OK, f"answers within {max(1.0, seen.doubt * 2000):.0f} ms")
    return [answers, *findings(seen, PULSE), *_evidence()]


def _evidence() -> Iterator[Finding]:
    """Whether what people showed can be read, where all machines keep it in one place."""
    try:
        named = evidence_place()
        if not named:
            return
        store = place(named)
        asyncio.run(store.has(NOBODYS))
    except TminusError as error:
        yield Finding("evidence", Grade.FAILED, str(error), error.hint)
    else:
        yield Finding("evidence", Grade.OK, f"{store.where} can be read")


def _lines(where: str, found: Sequence[Finding]) -> Iterator[str]:
    yield where
    told: dict[str, int] = {}
    for one in found:
        told[one.subject] = told.get(one.subject, 0) + 1
        if told[one.subject] <= LISTED:
            yield f"{SIGNS[one.grade]} {one.grade:<8} {one.subject:<9} {one.says}"
            if one.do:
                yield f"{'':<21}→ {one.do}"
    for subject, count in told.items():
        if count > LISTED:
            yield f"… {count - LISTED} more about {subject}: `tminus doctor --json` lists all"


def _as_json(where: str, found: Sequence[Finding]) -> dict[str, object]:
    return {
        "database": where,
        "counts": {grade.value: sum(one.grade is grade for one in found) for grade in Grade},
        "findings": [asdict(one) for one in found],
    }
