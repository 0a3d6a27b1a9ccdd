"""`tminus verify`: what a launch record proves, on any machine, with no network unless `--evidence` names one."""

import asyncio
import json as json_text
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tminus.cli.looks import mistaken
from tminus.config import home
from tminus.control.ports import EvidenceStore
from tminus.domain.report import Report, Signature
from tminus.domain.trust import TrustRoot
from tminus.errors import Exit, RecordError, TminusError, UsageError
from tminus.evidence import place as find_place
from tminus.signing import load_trust, trust_path, verify_file, verify_with


def verify(
    record: Annotated[Path, typer.Argument(help="The exported record, a .jsonl file.")],
    trust: Annotated[
        Path | None, typer.Option(help="The trust root; by default the one of this machine.")
    ] = None,
    *,
    evidence: Annotated[
        str,
        typer.Option(
            metavar="PLACE",
            help="Where shown files are that are not beside the record: a folder, or s3://BUCKET/PREFIX.",
        ),
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
) -> None:
    """Prove a launch record: chain, signatures, evidence and rules.

    Ends with 0 when everything holds, 1 when the record is broken, 4 when it is intact but no trust root says whose
    keys signed it.
    """
    place = trust or trust_path(home())
    store = find_place(evidence) if evidence else None
    report = _verified(record, _trusted(place, named=trust is not None), store, json=json)
    if json:
        typer.echo(json_text.dumps(_as_json(report, place), indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(_lines(report, place)))
    if not report.trusted:
        raise typer.Exit(Exit.UNKNOWN)


def _verified(record: Path, root: TrustRoot | None, store: EvidenceStore | None, *, json: bool) -> Report:
    try:
        return verify_file(record, root) if store is None else asyncio.run(verify_with(record, root, store))
    except (RecordError, UsageError) as error:
        told = mistaken(record, "launch record", error)
        if not json or isinstance(error, UsageError):
            raise told from error
        typer.echo(json_text.dumps({"verified": False, "error": str(told), "hint": told.hint}, indent=2))
        raise typer.Exit(told.code) from error


def _trusted(place: Path, *, named: bool) -> TrustRoot | None:
    """The trust root of a file; nothing when nobody named one and this machine has none."""
    try:
        if not place.exists():
            if not named:
                return None
            raise UsageError(
                f"{place}: there is no such trust root",
                hint="name the trust.json of the machine that launched, or leave --trust out to prove the chain alone",
            )
        return load_trust(place)
    except OSError as error:
        raise UsageError(f"{place}: {error.strerror}", hint="name a trust root that you may read") from error
    except TminusError as error:
        raise mistaken(place, "trust root", error) from error


def _as_json(report: Report, place: Path) -> dict[str, object]:
    return {
        "verified": report.trusted,
        "simulated": report.simulated,
        **asdict(report),
        "trust_root": str(place) if report.trusted else None,
    }


def _lines(report: Report, place: Path) -> Iterator[str]:
    yield "The record is intact." if report.trusted else "The record is intact, but its signers are unknown."
    yield f"launch      {report.launch}{' (production)' if report.production else ''}"
    yield f"outcome     {report.outcome}"
    yield f"events      {report.events}, {report.opened_at} to {report.ended_at}"
    for name, digest in sorted(report.release.items()):
        yield f"release     {name} sha256:{digest}"
    for signature in report.sign_offs:
        yield f"sign-off    {_signed(signature)}"
    for row in report.acknowledged:
        who = f"{row['by']}{' (simulated)' if row['simulated'] else ''} as {row['role']}"
        yield f"warning     {row['check']}, acknowledged by {who}: {row['because']}"
    yield f"decision    {_signed(report.decision) if report.decision else 'none'}"
    for digest, name in sorted(report.evidence.items()):
        yield f"evidence    {name} sha256:{digest}"
    signed = len({signature.role for signature in report.sign_offs})
    counts = (
        (report.observed, "observed or attested"),
        (report.not_applicable, "not applicable"),
        (report.unknown, "unknown"),
    )
    seen = ", ".join(
        f"{count} {words}" for count, words in counts if count or words == "observed or attested"
    )
    yield f"lines       {seen}, {signed} signed, {report.omitted} not in the plan; the checklist has {report.lines}"
    for kind in sorted(set(report.systems.values())):
        names = sorted(name for name, its in report.systems.items() if its == kind)
        yield f"{kind:<11} {', '.join(names)}"
    for keyid in report.server_keys:
        yield f"sealed by   {keyid}"
    yield f"head        {report.head}"
    for note in report.notes:
        yield f"note        {note}"
    yield from _trust(report, place)


def _trust(report: Report, place: Path) -> Iterator[str]:
    if report.trusted:
        yield f"trust root  {place}"
    else:
        yield f"trust root  none at {place}: put the keys that you trust there, or name them with --trust"


def _signed(signature: Signature) -> str:
    simulated = " (simulated)" if signature.simulated else ""
    said = f"{signature.role}: {signature.person}{simulated} {signature.decision.upper()} at {signature.at}"
    note = f" “{signature.note}”" if signature.note else ""
    return f"{said}{note} key {signature.keyid[:16]}…"
