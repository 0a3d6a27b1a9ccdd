"""`tminus attest`, `waive`, `acknowledge`, `delegate`: what people say besides the poll, signed with their own keys."""

import asyncio
from typing import Annotated

import typer

from tminus.cli.hands import Launch, Line, desktop
from tminus.config import evidence_place, writable_home
from tminus.domain.canonical import timestamp
from tminus.domain.delegation import as_held, handed
from tminus.domain.reach import unreached
from tminus.domain.words import Request
from tminus.errors import UsageError
from tminus.planfile.lints import instant
from tminus.planfile.problem import printable
from tminus.wiring.acts import Shown, approve_waiver, request_waiver
from tminus.wiring.acts import acknowledge as acknowledged
from tminus.wiring.attesting import attest as attested
from tminus.wiring.delegating import delegate as delegated
from tminus.wiring.shown import evidence_of, kept


def attest(  # noqa: PLR0913 - an option each
    launch: Launch,
    line: Line,
    *,
    statement: Annotated[str, typer.Option(help="What you say of the line; it stands in the record.")],
    evidence: Annotated[
        str,
        typer.Option(
            help="A file or an http(s) address that shows it; kept by digest, in TMINUS_EVIDENCE or beside the record."
        ),
    ] = "",
    role: Annotated[str, typer.Option(help="As which role; the line's owner by default.")] = "",
    fails: Annotated[bool, typer.Option("--fails", help="Say that the line does not hold.")] = False,
    of: Annotated[
        str, typer.Option("--of", help="Which of the things that the line asks for, where it has several.")
    ] = "",
) -> None:
    """Give your word for a line that asks a person.

    It is signed with your key. A blocker needs two persons: the second one types the same statement, with --role. Said
    again it replaces what was said before. A new date of the launch voids it where the plan asks for a word for this
    launch.
    """
    at = desktop(launch)
    check = at.scene.check(line)
    hand = at.hand(role or check.owner)
    shown = _kept(at.desk.launch, evidence) if evidence else Shown()
    (event,) = at.do(attested(hand, line, statement, shown, holds=not fails, item=of))
    typer.echo(printable(f"{line} is {event.data['verdict']}: {event.data['why']}"))
    if shown.sha256:
        typer.echo(f"evidence {shown.name} sha256:{shown.sha256}")


def _kept(launch: str, word: str) -> Shown:
    return asyncio.run(kept(evidence_of(writable_home(), launch, evidence_place()), word))


def waive(  # noqa: PLR0913 - an option each
    launch: Launch,
    line: Line,
    *,
    role: Annotated[str, typer.Option(help="As which role you ask, or approve.")],
    approve: Annotated[
        bool, typer.Option("--approve", help="Approve what another person asked for.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why the line may stand as it is.")] = "",
    risk: Annotated[str, typer.Option(help="What may go wrong by it.")] = "",
    compensating: Annotated[str, typer.Option(help="What is done instead.")] = "",
    until: Annotated[
        str, typer.Option(help="Its end: ISO 8601 with zone, a day after T-0 at the latest.")
    ] = "",
) -> None:
    """Ask that a line may stand though not green, or approve it.

    The line keeps its verdict and stands in the text that everybody signs. Nobody waives a blocker, approves their own
    wish, or approves one for a line that they own.
    """
    if approve and (reason or risk or compensating or until):
        raise UsageError("an approval is of what was asked for", hint="leave everything but --role out")
    at = desktop(launch)
    hand = at.hand(role)
    if approve:
        (event,) = at.do(approve_waiver(hand, line))
        typer.echo(
            printable(f"{line} is waived until {event.data['until']}, asked for by {event.data['by']}")
        )
        return
    about = Request("", line, "", "", reason, risk, compensating, timestamp(_instant(until)), "")
    at.do(request_waiver(hand, line, about))
    typer.echo(
        f"recorded; it counts once another approves: tminus waive {at.desk.launch} {line} --approve --role …"
    )


def acknowledge(
    launch: Launch,
    line: Line,
    *,
    role: Annotated[str, typer.Option(help="As which role you have seen it.")],
    reason: Annotated[str, typer.Option(help="Why the launch may go although it is so.")],
) -> None:
    """Say that you have seen a warned blocker, and why it may go.

    It is signed with your key. GO is refused without it. Whoever signs or decides may say so, but for a line of their
    own. It holds for what was seen: once the line is materially otherwise, or the launch has a new date, it is void.
    """
    at = desktop(launch)
    (event,) = at.do(acknowledged(at.hand(role), line, reason))
    typer.echo(printable(f"{line} is warned, acknowledged by {event.data['by']}: {event.data['because']}"))


def delegate(
    launch: Launch,
    *,
    role: Annotated[str, typer.Option(help="Your role, as the plan names you for it.")],
    to: Annotated[str, typer.Option(help="Who acts for it, as the trust root names them.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the record.")],
    email: Annotated[str, typer.Option(help="Where they get mail; it stands in the record.")] = "",
) -> None:
    """Name who acts for your role in this launch.

    Before T-24h, signed with your key. They need a key for the role in the trust root, and no role of their own. Your
    own name takes it back. Once the poll is open, who signs is fixed. Your own addresses get no more messages for the
    role.
    """
    at = desktop(launch)
    (event,) = at.do(delegated(at.first_hand(role), to, reason, at.desk, email))
    typer.echo(printable(f"{event.data['to']} acts as {role} in this launch"))
    for one in unreached(as_held(at.desk.plan, [event]), handed(at.desk.plan, [event])):
        if one.role == role:
            again = f"tminus delegate {launch} --role {role} --to {to!r} --reason {reason!r} --email ADDRESS"
            typer.echo(printable(f"nobody can tell them anything: {one.why}; {again}"))


def _instant(text: str) -> float:
    try:
        return instant(text)
    except ValueError as error:
        raise UsageError(
            f"--until {text!r} is no time with a zone", hint="write for example 2026-01-31T14:00:00+01:00"
        ) from error
