"""`tminus make dashboards`: the dashboards that the built-in plan asks for, as files, and in Grafana."""

import asyncio
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from tminus.alerting.figures import Names
from tminus.cli import outputs
from tminus.config import resolve
from tminus.domain import drift, panelkinds
from tminus.domain.canonical import JsonValue
from tminus.domain.webaddress import no_web
from tminus.errors import PlanError, TminusError, UsageError
from tminus.grafana import restricting
from tminus.grafana.api import asking
from tminus.grafana.boards import Service, boards
from tminus.grafana.describing import Board

_AROUND = (
    "panels about what is around the service ask for haproxy_*, pg_*, redis_*, node_* and trivy_*, as the usual"
    " exporters call them; change those that you call otherwise, or leave them out with --without"
)
_REFERENCES = ("env:", "file:")
_MESSAGE = "made by tminus make dashboards"
"""What Grafana's history of versions says of it."""


def dashboards(  # noqa: PLR0913 - each is an option that a person may type
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for their files.")] = Path(
        "dashboards"
    ),
    datasource: Annotated[
        str, typer.Option(help="The uid of Grafana's data source for Prometheus.")
    ] = "prometheus",
    counter: Annotated[
        str, typer.Option(help="The service's requests, as Prometheus selects them: NAME{…}.")
    ] = "",
    failed: Annotated[str, typer.Option(help="The matcher of those that failed.")] = "",
    histogram: Annotated[str, typer.Option(help="The buckets of their times: NAME_bucket{…}.")] = "",
    label: Annotated[str, typer.Option(help="The label that tells blue from green.")] = "side",
    without: Annotated[
        list[str] | None, typer.Option(help="A panel to leave out, since nothing reports it: audit.")
    ] = None,
    push: Annotated[
        str, typer.Option(help="Keep them in this Grafana too: env:NAME or file:PATH of its address.")
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Write over other files and versions that are there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as one JSON object.")] = False,
) -> None:
    """Make the dashboards that the plan asks for.

    They are files, and with --push they are kept in Grafana too. They are written for the metrics of the reference
    service, unless the names of others are given. The files belong into the team's repository: `copy` of a line names
    one, and the line says when Grafana's is no longer the same.
    """
    left_out = _left_out(without or [])
    if not label.isidentifier():
        raise UsageError(f"{label!r} is no label", hint="write one word, such as side or color")
    _demand_all(counter, failed, histogram)
    service = Service(Names.given(counter, failed, histogram), label)
    made = [board.without(left_out) for board in boards(service)]
    _demand_readable(made)
    address = _address(push) if push else ""
    models = {board.kind: board.model(datasource) for board in made}
    for kind, model in models.items():
        _write(out / f"{kind}.json", model, force=force)
    try:
        pushed = asyncio.run(_pushed(address, list(models.values()), overwrite=force)) if push else []
    except TminusError:
        typer.echo(f"the files are written into {out}; Grafana does not have all of them", err=True)
        raise
    told = [_told(out, board, models[board.kind]) for board in made]
    if as_json:
        typer.echo(json.dumps({"dashboards": told, "pushed": pushed}, ensure_ascii=False))
        return
    for one in told:
        typer.echo(f"{one['file']}  {one['panels']} panels  sha256 {one['sha256']}")
    for path in pushed:
        typer.echo(f"kept in Grafana: {path}")
    if not service.own:
        typer.echo(
            "yours to draw: the figures of your business, and the panel of logins on the security dashboard"
        )
    typer.echo(_AROUND, err=True)


def _demand_all(counter: str, failed: str, histogram: str) -> None:
    """Raise `UsageError` where some of a service's names are given and the reference service's would fill the rest."""
    given = [bool(name) for name in (counter, failed, histogram)]
    if any(given) and not all(given):
        raise UsageError(
            "--counter, --failed and --histogram belong together: the rest would be the reference service's",
            hint="give all three, or none of them",
        )
    if histogram and not re.match(r"[A-Za-z_:][\w:]*_bucket\b", histogram):
        raise UsageError(
            f"{histogram} is no histogram's buckets", hint="name the series that ends with _bucket"
        )


def _left_out(names: Sequence[str]) -> list[str]:
    known = [meaning for meanings in panelkinds.KINDS.values() for meaning in meanings]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"no panel shows {', '.join(unknown)}", hint=f"write one of {', '.join(known)}")
    return list(names)


def _demand_readable(made: Sequence[Board]) -> None:
    """Raise `UsageError` for names that make no query which Prometheus could read."""
    for board in made:
        for panel in board.panels:
            for line in panel.lines:
                try:
                    restricting.parsed(line.expression)
                except ValueError as error:
                    raise UsageError(
                        f"the query of {panel.title!r} could not be read: {error}: {line.expression}",
                        hint="correct --counter, --failed or --histogram",
                    ) from error


def _write(path: Path, model: dict[str, Any], *, force: bool) -> None:
    """Write a file; one that is there with these very bytes is left alone."""
    content = (json.dumps(model, indent=2, ensure_ascii=False) + "\n").encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path.parent} is no folder: {error.strerror}", hint="name another with --out"
        ) from error
    if not path.is_file() or path.read_bytes() != content:
        outputs.write(path, content, force=force)


def _address(reference: str) -> str:
    if not reference.startswith(_REFERENCES):
        raise UsageError(
            "--push is no reference to an address, which holds a token that others could read here",
            hint="write --push env:NAME or --push file:PATH",
        )
    try:
        address = resolve(reference, os.environ)
    except PlanError as error:
        raise UsageError(f"--push: {error}", hint="correct what --push refers to") from error
    what, _, instead = no_web(address).partition("; ")
    if what:
        raise UsageError(f"the address that --push refers to {what}", hint=f"{instead}: https://:TOKEN@host")
    return address


async def _pushed(address: str, models: Sequence[dict[str, Any]], *, overwrite: bool) -> list[JsonValue]:
    """Where people open them in Grafana; what is there as it should be is left alone."""
    found: list[JsonValue] = []
    async with asking(address) as api:
        for model in models:
            there = await api.dashboard(str(model["uid"]))
            if there is not None and not drift.differences(dict(there.model), model):
                found.append(there.path)
                continue
            folder = there.folder if there is not None else ""
            found.append(await api.save(model, _MESSAGE, overwrite=overwrite, folder=folder))
    return found


def _told(out: Path, board: Board, model: dict[str, Any]) -> dict[str, JsonValue]:
    return {
        "file": str(out / f"{board.kind}.json"),
        "uid": board.uid,
        "title": board.title,
        "panels": len(board.panels),
        "sha256": drift.fingerprint(model),
    }
