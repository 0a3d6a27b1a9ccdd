"""`tminus clearance` and `tminus admit`: no other way of deploying goes round launch control."""

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tminus import files
from tminus.cli.clock import now
from tminus.cli.launches import any_launch, launches
from tminus.config import home, writable_home
from tminus.control.ports import Json
from tminus.domain import clearance as cleared
from tminus.domain.canonical import canonical
from tminus.domain.clearance import LASTS, Clearance, read_clearance
from tminus.domain.trust import TrustRoot
from tminus.errors import OutOfSequenceError, RecordError, RefusedError, UsageError
from tminus.planfile.problem import printable
from tminus.signing import load_trust, open_envelope, trust_path
from tminus.wiring import SystemClock
from tminus.wiring.clearing import Tower

LARGEST = 64 * 1024
"""Bytes of a clearance at most; one has about two thousand."""
LOOK_SECONDS = 1.0
"""Between two looks at the record, while a clearance is waited for."""
_RELEASE = re.compile(r"(?P<name>[^=\s]+)=sha256:(?P<digest>[0-9a-f]{64})")


def clearance(
    launch: Annotated[
        str, typer.Argument(help="The launch, or its environment; the only one when left out.")
    ] = "",
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for GO and T-0; end with 3 at NO-GO.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write it into this file, not to the output.")] = None,
) -> None:
    """Give the signed clearance that other pipelines ask for.

    Only a GO that stands gives one, from T-0 on. The whole record is verified first, with this machine's trust root.
    The clearance names the digests of the release and holds for 15 minutes from T-0. Ends with 3 where no GO stands, or
    none can come any more.
    """
    folder = writable_home()
    found = any_launch(launch, asyncio.run(launches(folder)))
    if not found.environment:
        raise OutOfSequenceError(
            f"{found.id} is a demo: it deploys by itself, and nothing else",
            hint="open a launch of your own plan: tminus launch",
        )
    tower = Tower(folder, _trust(trust_path(folder)), SystemClock())
    given = asyncio.run(_given(tower, (found.database, found.id), wait=wait))
    content = canonical(given) + b"\n"
    if out is None:
        typer.echo(content.decode(), nl=False)
    else:
        files.replace(out, [content])


def admit(
    file: Annotated[Path, typer.Argument(help="The clearance, as `tminus clearance` wrote it.")],
    *,
    release: Annotated[
        list[str], typer.Option(help="COMPONENT=sha256:DIGEST that is to be deployed; as often as needed.")
    ],
    environment: Annotated[str, typer.Option(help="Where it is to be deployed.")],
    trust: Annotated[
        Path | None, typer.Option(help="The trust root; by default the one of this machine.")
    ] = None,
) -> None:
    """Say whether a clearance admits these digests there now.

    It needs no network; it is for pipelines and admission policies. Ends with 0 where it does, 3 for other digests,
    another environment or another time, 1 for a clearance that was altered or given by a stranger.
    """
    wanted = _wanted(release)
    given = _read(file, _trust(trust or trust_path(home())))
    cleared.admit(given, wanted, environment, now())
    listed = ", ".join(f"{name} sha256:{digest}" for name, digest in sorted(wanted.items()))
    typer.echo(
        printable(f"admitted to {environment} until {given.ends}: {listed}\nby the GO of {given.launch}")
    )


async def _given(tower: Tower, about: tuple[str, str], *, wait: bool) -> Json:
    """The clearance; raises `OutOfSequenceError` while none can be given, unless it is waited for."""
    while (given := await tower.clear(*about)) is None:
        if not wait:
            raise OutOfSequenceError(
                f"{about[1]} gives no clearance yet: it needs GO, and T-0",
                hint=f"type it then, within {LASTS / 60:.0f} minutes from T-0; or type --wait",
            )
        await asyncio.sleep(LOOK_SECONDS)
    return given


def _wanted(release: Sequence[str]) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for text in release:
        found = _RELEASE.fullmatch(text)
        if found is None:
            raise UsageError(
                f"--release {text}: no component with a digest",
                hint="write COMPONENT=sha256: and 64 characters of 0-9 a-f",
            )
        if wanted.setdefault(found["name"], found["digest"]) != found["digest"]:
            raise UsageError(
                f"--release names two digests for {found['name']}", hint="give each component once"
            )
    return wanted


def _read(file: Path, trust: TrustRoot) -> Clearance:
    try:
        content = files.regular(file, LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be read: {error.strerror}", hint="name the clearance's file"
        ) from error
    if len(content) > LARGEST:
        raise RecordError(
            f"{file}: too large for a clearance", hint="name the file that `tminus clearance` wrote"
        )
    try:
        return read_clearance(open_envelope(json.loads(content)), trust)
    except (ValueError, RecursionError) as error:
        raise RecordError(
            f"{file}: no clearance: {error}", hint="name the file that `tminus clearance` wrote"
        ) from error
    except RecordError as error:
        raise RecordError(f"{file}: {error}", hint=error.hint) from error


def _trust(place: Path) -> TrustRoot:
    if not place.exists():
        raise RefusedError(
            f"{place}: nobody's key is trusted here, so nothing is admitted",
            hint="copy your team's trust root here, or name it with --trust",
        )
    return load_trust(place)
