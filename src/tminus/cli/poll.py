"""`tminus sign` and `tminus decide`: the poll and the decision of a launch, each in a person's own name and key."""

from collections.abc import Iterator
from typing import Annotated

import typer

from tminus.cli.hands import Desktop, Launch, desktop
from tminus.domain.canonical import timestamp
from tminus.domain.course import RESCHEDULED
from tminus.domain.orders import Category
from tminus.domain.permission import Deed, Matter, permit
from tminus.errors import RefusedError, UsageError
from tminus.planfile.lints import instant
from tminus.planfile.problem import printable
from tminus.targets.absent import LACKS
from tminus.wiring.polling import Sheet, Verdict, sheet
from tminus.wiring.polling import decide as decided
from tminus.wiring.polling import sign as signed

WORDS = ("go", "no-go")

Word = Annotated[str, typer.Argument(help="go or no-go.")]
Yes = Annotated[bool, typer.Option("--yes", help="Ask nothing: what would be shown was seen elsewhere.")]


def sign(
    launch: Launch,
    word: Word,
    *,
    role: Annotated[str, typer.Option(help="The role that you sign for.")],
    note: Annotated[str, typer.Option(help="A word of yours; it is signed too.")] = "",
    yes: Yes = False,
) -> None:
    """Sign off for a role while the poll is open.

    You see what you sign, then say go or no-go with your own key. The signature covers the evidence as it is shown. A
    line that changes materially afterwards voids it; then sign again, and what has changed is shown.
    """
    said = _word(word)
    at = desktop(launch)
    permit(Deed.SIGN, at.scene.course, at.scene.plan, at.scene.role(role), Matter())
    seen = sheet(at.scene, role)
    _show(seen)
    _confirm(f"Sign {said} for {role}?", yes=yes)
    at.do(signed(at.hand(role), said, note, seen.root))
    typer.echo(f"{said} for {role} is signed over {seen.root[:16]}…")


def decide(  # noqa: PLR0913 - an option each
    launch: Launch,
    word: Word,
    *,
    text: Annotated[str, typer.Option(help="Why, in a sentence; it is signed too.")],
    reason: Annotated[
        Category | None, typer.Option(help="For no-go: what kept the launch from going.")
    ] = None,
    t0: Annotated[str, typer.Option(help="For no-go: the new T-0, ISO 8601 with zone.")] = "",
    unscheduled: Annotated[
        bool, typer.Option("--unscheduled", help="For no-go: there is no new T-0 yet.")
    ] = False,
    role: Annotated[str, typer.Option(help="As which role; the one that decides by default.")] = "",
    yes: Yes = False,
) -> None:
    """Decide GO or NO-GO for a launch, signed with your key.

    GO is refused with the exact list while a line, a signature or an unchanged evidence is missing; nobody overrides
    it. A launch with GO waits for T-0. NO-GO names a new T-0, which voids what was said for the old one, or none.
    """
    said = _word(word)
    if said == "go" and (reason or t0 or unscheduled):
        raise UsageError("GO takes no reason category and no new T-0", hint="leave them out, or decide no-go")
    verdict = Verdict(said == "go", text, reason, _instant(t0) if t0 else None, unscheduled)
    at = desktop(launch)
    meant = role or _decider(at)
    permit(
        Deed.GO if verdict.go else Deed.NO_GO, at.scene.course, at.scene.plan, at.scene.role(meant), Matter()
    )
    seen = sheet(at.scene, meant)
    _show(seen)
    if verdict.go and not at.scene.plan.target:
        typer.echo(f"note       {LACKS}; after GO it will end as aborted at T-0")
    _confirm(f"Decide {said.upper()}?", yes=yes)
    events = at.do(decided(at.hand(meant), verdict, seen.root))
    dated = [event for event in events if event.type == RESCHEDULED]
    came = f"; T-0 is {timestamp(verdict.new_t0 or 0.0)}, every sign-off is void" if dated else ""
    typer.echo(f"{said.upper()} is decided{came}")


def _word(word: str) -> str:
    if word.lower() not in WORDS:
        raise UsageError(f"{word!r} is neither go nor no-go", hint="type one of the two")
    return word.lower()


def _decider(at: Desktop) -> str:
    deciding = [role.id for role in at.scene.plan.roles if role.decides]
    if len(deciding) != 1:
        raise UsageError(f"{len(deciding)} roles decide in this plan", hint=f"--role: {', '.join(deciding)}")
    return deciding[0]


def _confirm(question: str, *, yes: bool) -> None:
    if not yes and not typer.confirm(question, err=True):
        raise RefusedError("nothing was signed", hint="type it again when you are sure")


def _show(seen: Sheet) -> None:
    # What others said stands in it, and what systems answered.
    typer.echo(printable("\n".join(_lines(seen))))


def _lines(seen: Sheet) -> Iterator[str]:
    yield f"evidence   {seen.root}"
    gate = seen.gate
    passed = gate.judged - len(gate.obstacles) - len(gate.warned) - len(gate.waived)
    yield f"lines      {passed} of {gate.judged} that GO judges are green without a but"
    acknowledged = seen.summary.get("acknowledged", [])
    assert isinstance(acknowledged, list)  # noqa: S101 - the evidence has written it
    warned = [f"{line} (acknowledged)" if line in acknowledged else line for line in gate.warned]
    for name, lines in (("warned", warned), ("waived", gate.waived)):
        yield f"{name:<10} {', '.join(lines) or 'none'}"
    omitted = seen.summary["omitted"]
    yield f"omitted    {omitted['text'] if isinstance(omitted, dict) else omitted}"
    if isinstance(path := seen.summary.get("expedited"), dict):
        yield f"expedited  {path['reason']}; asked for by {path['by']}, to be confirmed by {path['second']}"
    if seen.since is None:
        yield "before     this role has not signed in this poll"
    else:
        yield f"since      {'; '.join(change.told for change in seen.since) or 'nothing has changed since it signed'}"
    for missing in seen.missing:
        yield f"lacks      {missing}"


def _instant(text: str) -> float:
    try:
        return instant(text)
    except ValueError as error:
        raise UsageError(
            f"--t0 {text!r} is no time with a zone", hint="write for example 2026-01-31T14:00:00+01:00"
        ) from error
