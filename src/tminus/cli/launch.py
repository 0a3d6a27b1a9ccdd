"""`tminus launch`: what a plan needs before it may be launched, when everything falls due, and the launch opened."""

import json as json_text
import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from tminus import planfile
from tminus.cli.clock import now
from tminus.domain import offsets
from tminus.domain.environments import DEFAULT, named
from tminus.domain.expedition import Expedited, shorter, told
from tminus.domain.expedition import expedited as expedited_by
from tminus.domain.freezes import frozen
from tminus.domain.plan import Check, Kind, Plan, Role, Severity
from tminus.errors import RefusedError, UsageError
from tminus.planfile.lints import instant
from tminus.planfile.problem import printable

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def launch(  # noqa: PLR0913 - each is an option that a person may type
    plan: Annotated[str, typer.Argument(help="The plan, a YAML file.")],
    *,
    release: Annotated[
        list[str] | None,
        typer.Option(help="COMPONENT=sha256:DIGEST, once for each component of the plan."),
    ] = None,
    previous: Annotated[
        list[str] | None,
        typer.Option(help="COMPONENT=sha256:DIGEST of what runs now, where the plan looks at it."),
    ] = None,
    t0: Annotated[
        str, typer.Option(help="When: ISO 8601 with zone, such as 2026-01-31T14:00:00+01:00.")
    ] = "",
    environment: Annotated[
        str, typer.Option(help=f"Where, if the plan does not say it; {DEFAULT} when left out.")
    ] = "",
    expedited: Annotated[
        bool, typer.Option("--expedited", help="For a hotfix: the shorter form that the plan declares.")
    ] = False,
    reason: Annotated[str, typer.Option(help="For an expedited launch: why; it is signed.")] = "",
    role: Annotated[
        str, typer.Option(help="For an expedited launch: the role as which you ask for it, with your key.")
    ] = "",
    second: Annotated[
        str, typer.Option(help="For an expedited launch: the role that has to confirm it; another person.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the schedule and open nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Open a launch of a plan, or print its schedule.

    It is refused while anything that it needs is open. Ends with 3 while a value is to fill, a component has no digest,
    the time is past or has no zone, the plan waives lines (waivers are not honoured yet), people are simulated, or the
    environment has a launch. It is opened in the common database (TMINUS_DATABASE_URL), where `tminus worker` runs it;
    typed again, the same launch is found. With --expedited it takes the plan's shorter form: you sign for it, and GO
    waits for `tminus expedite` of the second person. A plan without `target` is counted down to T-0 and no further.
    """
    moment = now()
    found = planfile.load(plan, now=moment)
    whole = found.checked()
    path = _path(whole, expedited=expedited, words=(reason, role, second))
    wanted = shorter(whole) if path else whole
    digests = _digests("release", release or [], wanted)
    before = _digests("previous", previous or [], wanted)
    at, where = _t0(t0), _environment(environment, wanted)
    reasons = [
        *_open(wanted, digests, before),
        *_left_out(whole),
        *_untimely(t0, at, moment),
        *_frozen(wanted, at),
    ]
    if reasons or at is None:
        listed = "\n".join(f"  - {reason}" for reason in reasons)
        raise RefusedError(
            f"{found.path} cannot be launched yet:\n{listed}",
            hint="mend these and try again; `tminus plan check` names the lines of what is to fill",
        )
    if not dry_run:
        from tminus.cli.opening import opened, wish  # noqa: PLC0415 - a schedule needs no engine

        typer.echo(opened(wish(found, where, (digests, before), at, path), as_json=json))
    elif json:
        typer.echo(json_text.dumps(_as_json(wanted, digests, at, path), indent=2, ensure_ascii=False))
    else:
        lines = [*(told(path) if path else ()), *_schedule(wanted, digests, at, moment)]
        typer.echo("\n".join(map(printable, lines)))


def _path(plan: Plan, *, expedited: bool, words: tuple[str, str, str]) -> Expedited | None:
    """What makes it an expedited launch; raises `UsageError` for half of it, `RefusedError` where it may not be."""
    options = ("--reason", "--role", "--second")
    given = [option for option, word in zip(options, words, strict=True) if word.strip()]
    if not expedited:
        if given:
            raise UsageError(
                f"{given[0]} is for an expedited launch", hint="add --expedited, or leave it out"
            )
        return None
    shorter(plan)
    if lacking := [option for option in options if option not in given]:
        raise UsageError(
            f"an expedited launch needs {' and '.join(lacking)}",
            hint="say why, as which role you ask for it, and which role confirms it",
        )
    reason, role, second = words
    return expedited_by(plan, reason, _role(plan, role), _role(plan, second))


def _role(plan: Plan, name: str) -> Role:
    found = next((role for role in plan.roles if role.id == name), None)
    if found is None:
        known = ", ".join(f"{role.id} ({role.person})" for role in plan.roles)
        raise UsageError(f"{name!r} is no role of this plan", hint=f"roles: {known}")
    return found


def _environment(given: str, plan: Plan) -> str:
    """Where the launch takes place: as the plan says, else as the command line says."""
    if given and plan.environment and given != plan.environment:
        raise UsageError(
            f"--environment {given}: the plan is for {plan.environment}",
            hint="leave --environment out, or take `environment` out of the plan",
        )
    try:
        return named(plan.environment or given or DEFAULT)
    except ValueError as error:
        raise UsageError(str(error), hint="write another name after --environment") from error


def _digests(option: str, given: Sequence[str], plan: Plan) -> dict[str, str]:
    digests: dict[str, str] = {}
    for text in given:
        component, given_one, digest = text.partition("=")
        if not given_one:
            raise UsageError(
                f"--{option} {text}: it names no component", hint=f"write {plan.components[0]}={text}"
            )
        if component not in plan.components:
            raise UsageError(
                f"--{option} {text}: the plan has no component {component!r}",
                hint=f"components: {', '.join(plan.components)}",
            )
        if not _DIGEST.fullmatch(digest):
            kind, _, number = digest.partition(":")
            wrong = f"its digest has {len(number)} characters" if kind == "sha256" and number else "no digest"
            raise UsageError(
                f"--{option} {text}: {wrong}", hint=f"write {component}=sha256: and 64 characters of 0-9 a-f"
            )
        if component in digests:
            raise UsageError(f"--{option} names {component} twice", hint="give each component once")
        digests[component] = digest
    return digests


def _t0(text: str) -> float | None:
    try:
        return instant(text) if text else None
    except ValueError:
        return None


def _open(plan: Plan, digests: dict[str, str], previous: dict[str, str]) -> Iterator[str]:
    """What the plan and the release still lack."""
    yield from plan.open_points
    yield from (
        f"component {name} has no digest: give --release {name}=sha256:…"
        for name in plan.components
        if name not in digests
    )
    first = plan.components[0]
    if lacking := [check.id for check in plan.checks if _names_previous(check, plan, previous)]:
        yield f"{', '.join(lacking)} look at what runs now: give --previous {first}=sha256:…"
    elif plan.target and (unsaid := [name for name in plan.components if name not in previous]):
        wanted = " ".join(f"--previous {name}=sha256:…" for name in unsaid)
        yield f"nobody has said to what it would be rolled back: give {wanted} of what runs now"
    if simulated := [role.id for role in plan.roles if role.simulated]:
        yield f"simulated people take part in the demo only: name a person for {', '.join(simulated)}"
    if all(check.severity is Severity.ADVISORY for check in plan.before_go()):
        yield "no line is required before T-0: GO would be judged by nothing"


def _left_out(whole: Plan) -> Iterator[str]:
    if whole.production and whole.left_out:
        yield f"{whole.left_out} lines are left out of a plan marked production"


def _names_previous(check: Check, plan: Plan, previous: dict[str, str]) -> bool:
    """Whether a line looks at the release that runs now, which nobody has named."""
    return plan.components[0] not in previous and "${previous}" in str(check.arguments or {})


def _untimely(text: str, at: float | None, moment: float) -> Iterator[str]:
    if not text:
        yield "T-0 is not given: --t0 2026-01-31T14:00:00+01:00"
    elif at is None:
        yield f"T-0 {text!r} is no time with a zone: write for example 2026-01-31T14:00:00+01:00"
    elif at <= moment:
        yield f"T-0 {text} is past"
    elif at > moment + offsets.FARTHEST:
        yield f"T-0 {text} is more than ten years ahead"


def _frozen(plan: Plan, at: float | None) -> Iterator[str]:
    if at is not None and (window := frozen(plan.freezes, at)):
        yield f"T-0 lies in a freeze, {window.told()}"


def _milestones(plan: Plan, at: float) -> Iterator[tuple[str, datetime, list[Check]]]:
    for offset in plan.milestones:
        lines = [check for check in plan.checks if check.due == offset]
        yield offsets.named(offset), datetime.fromtimestamp(at, UTC) + timedelta(seconds=offset), lines


def _schedule(plan: Plan, digests: dict[str, str], at: float, moment: float) -> Iterator[str]:
    width = max(40, shutil.get_terminal_size((80, 24)).columns)
    yield f"{plan.name}, {plan.digest}"
    yield from (f"{name} {digest}" for name, digest in digests.items())
    if plan.left_out:
        yield f"{plan.left_out} of {plan.total} lines are not in this plan"
    for name, instant_, lines in _milestones(plan, at):
        here = instant_.astimezone()
        past = "  (past)" if instant_.timestamp() < moment else ""
        yield ""
        yield f"{name:<7} {here:%a %Y-%m-%d %H:%M:%S %Z}  {instant_:%Y-%m-%dT%H:%M:%SZ}{past}"
        for check in lines:
            yield f"  {check.id:<22} {check.owner:<17} {_how(check)}"
            yield from textwrap.wrap(check.text, width, initial_indent=" " * 6, subsequent_indent=" " * 6)
        if not lines:
            yield "  nothing is due"


def _how(check: Check) -> str:
    words = {Kind.PERSON: "attestation", Kind.ROLLUP: "roll-up", Kind.STEP: f"step: {check.step}"}
    return words.get(check.kind, check.kind.value)


def _as_json(plan: Plan, digests: dict[str, str], at: float, path: Expedited | None) -> dict[str, Any]:
    return {
        **({"expedited": path.data()} if path else {}),
        "plan": plan.name,
        "digest": plan.digest,
        "release": digests,
        "t0": datetime.fromtimestamp(at, UTC).isoformat(),
        "total": plan.total,
        "left_out": plan.left_out,
        "milestones": [
            {
                "offset": name,
                "at": moment.isoformat(),
                "lines": [
                    {"id": check.id, "text": check.text, "owner": check.owner, "kind": check.kind.value}
                    for check in lines
                ],
            }
            for name, moment, lines in _milestones(plan, at)
        ],
    }
