"""`tminus trust add`, `list` and `retire`: whose keys count, kept outside of every record."""

import json as json_text
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tminus.cli.clock import now
from tminus.config import home, writable_home
from tminus.domain.canonical import timestamp
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.errors import UsageError
from tminus.planfile.lints import instant
from tminus.planfile.problem import printable
from tminus.signing import People, PublicKey, enrol, load_trust, read_public, retire, trust_path

Place = Annotated[Path | None, typer.Option("--trust", help="The trust root; this machine's by default.")]


def add(
    key: Annotated[
        str,
        typer.Argument(help="The public part that `key new` wrote, or a person with a key on this machine."),
    ],
    *,
    role: Annotated[
        list[str] | None, typer.Option(help="The roles to trust it for; those that it asks for by default.")
    ] = None,
    since: Annotated[
        str, typer.Option("--from", help="From when it counts: ISO 8601 with zone; now by default.")
    ] = "",
    until: Annotated[str, typer.Option(help="Until when it counts; for ever by default.")] = "",
    trust: Place = None,
) -> None:
    """Trust a person's key for its roles from now on.

    Make sure by another way that it is theirs.
    """
    public = _public(key)
    begins = _instant(since) if since else now()
    person = TrustedKey(
        public.keyid,
        public.name,
        KeyKind.PERSON,
        tuple(role) if role else public.roles,
        timestamp(begins),
        timestamp(_instant(until)) if until else None,
    )
    if until and _instant(until) <= begins:
        raise UsageError(f"the key would end at {until}, before it counts", hint="name a later time")
    place = trust or trust_path(writable_home())
    known = _root(place).find(public.keyid) if place.exists() else None
    if known is not None and (known.name, known.roles, since, until) == (person.name, person.roles, "", ""):
        typer.echo(f"{place} holds this key already, since {known.valid_from}")
        return
    enrol(place, person)
    told = f"{place} trusts {person.keyid[:16]}… of {person.name} as {', '.join(person.roles)}"
    typer.echo(printable(told))


def list_(
    *,
    trust: Place = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object for each key.")] = False,
) -> None:
    """List every key of the trust root.

    It says whose it is, for which roles, since when and until when.
    """
    for key in _root(trust or trust_path(home())).keys:
        if json:
            typer.echo(json_text.dumps(asdict(key), ensure_ascii=False))
            continue
        ended = f" until {key.valid_until}" if key.valid_until else ""
        roles = ", ".join(key.roles) or "the server"
        simulated = " (simulated)" if key.simulated else ""
        typer.echo(
            printable(f"{key.keyid[:16]}  {key.name}{simulated}  {roles}  from {key.valid_from}{ended}")
        )


def retire_(
    key: Annotated[str, typer.Argument(help="The key's id, or its first 8 digits or more.")],
    *,
    at: Annotated[str, typer.Option(help="From when it no longer counts; now by default.")] = "",
    trust: Place = None,
) -> None:
    """End the use of a key; what it signed before stays good."""
    place = trust or trust_path(writable_home())
    found = [known for known in _root(place).keys if len(key) >= 8 and known.keyid.startswith(key)]
    if len(found) != 1:
        raise UsageError(
            f"{key!r} names {len(found) or 'none'} of the keys in {place}",
            hint="`tminus trust list` shows their ids; 8 digits are the least",
        )
    ends = timestamp(_instant(at) if at else now())
    retire(place, found[0].keyid, ends)
    typer.echo(f"{found[0].keyid[:16]}… of {found[0].name} no longer counts from {ends} on")


def _public(word: str) -> PublicKey:
    """The public part in a file of this name, else the only key of the person on this machine."""
    path = Path(word)
    if path.exists():
        return read_public(path)
    keys = People(home()).of(word)
    if len(keys) == 1:
        return keys[0]
    raise UsageError(
        f"{word!r} is no file, and {len(keys) or 'no'} keys on this machine are of such a person",
        hint="name the .pub.json file that `tminus key new` wrote",
    )


def _root(place: Path) -> TrustRoot:
    return load_trust(place)


def _instant(text: str) -> float:
    try:
        return instant(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no time with a zone", hint="write for example 2026-01-31T14:00:00+01:00"
        ) from error
