"""`tminus key new` and `tminus key list`: the keys with which this machine's people sign."""

import json as json_text
from dataclasses import asdict
from typing import Annotated

import typer

from tminus.cli.passphrases import passphrase
from tminus.config import home, writable_home
from tminus.signing import People, load_trust, trust_path


def new(
    name: Annotated[str, typer.Argument(help="The person, exactly as the plan names them.")],
    *,
    role: Annotated[list[str], typer.Option(help="A role of the plan that they sign for; may be repeated.")],
) -> None:
    """Make a key for a person on this machine.

    It counts once the trust root holds it. The passphrase is asked for twice, or taken from TMINUS_PASSPHRASE (the
    passphrase, or file:PATH). A person who has a key gets another one beside it: enrol the new one, then retire the old
    one.
    """
    people = People(writable_home())
    key = people.new(name, role, passphrase(name, new=True))
    typer.echo(f"key         {key.keyid}")
    typer.echo(f"public part {people.public_file(key)}")
    typer.echo(f"it counts once the trust root holds it: tminus trust add {people.public_file(key)}")


def list_(
    *, json: Annotated[bool, typer.Option("--json", help="One JSON object for each key.")] = False
) -> None:
    """List this machine's keys, and which the trust root holds."""
    place = trust_path(home())
    trusted = {key.keyid: key for key in load_trust(place).keys} if place.exists() else {}
    for key in People(home()).all():
        known = trusted.get(key.keyid)
        stands = "not enrolled" if known is None else "enrolled"
        if known is not None and known.valid_until is not None:
            stands = f"retired at {known.valid_until}"
        if json:
            typer.echo(json_text.dumps({**asdict(key), "stands": stands}, ensure_ascii=False))
        else:
            typer.echo(f"{key.keyid[:16]}  {key.name}  {', '.join(key.roles)}  {stands}")
