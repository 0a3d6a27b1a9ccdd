"""`tminus expedite`: the second person's word for a launch that takes the plan's shorter form."""

from typing import Annotated

import typer

from tminus.cli.hands import Launch, desktop
from tminus.domain.expedition import told
from tminus.domain.permission import Deed, permit
from tminus.errors import RefusedError
from tminus.planfile.problem import printable
from tminus.wiring.expediting import confirm, named, path_of


def expedite(
    launch: Launch,
    *,
    role: Annotated[str, typer.Option(help="The role that the launch named to confirm it.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: what would be shown was seen elsewhere.")
    ] = False,
) -> None:
    """Confirm, as the second person, the plan's shorter form.

    It is signed with your key. It shows who asks for it and why, and every line that is left out by it. GO is refused
    until you have confirmed.
    """
    at = desktop(launch)
    path = path_of(at.scene)
    permit(Deed.SECOND, at.scene.course, at.scene.plan, at.scene.role(role), named(path))
    typer.echo(printable("\n".join(told(path))))
    if not yes and not typer.confirm(f"Confirm it as {role}?", err=True):
        raise RefusedError("nothing was signed", hint="type it again when you are sure")
    at.do(confirm(at.hand(role)))
    typer.echo(printable(f"{path.second} has confirmed that {at.scene.launch} is expedited"))
