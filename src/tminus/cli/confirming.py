"""`tminus confirm`: a product owner's signed word for what the figures of a dashboard mean."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from tminus import files
from tminus.cli import outputs
from tminus.cli.clock import now
from tminus.cli.passphrases import passphrase
from tminus.config import home
from tminus.domain import dashboard, drift
from tminus.domain.canonical import timestamp
from tminus.domain.trust import TrustRoot
from tminus.errors import RefusedError, UsageError
from tminus.grafana.confirming import LARGEST_BYTES, listed
from tminus.planfile.problem import printable
from tminus.signing import People, PublicKey, Signer, load_trust, trust_path
from tminus.wiring.confirming import confirmed


def confirm(
    file: Annotated[Path, typer.Argument(help="The dashboard's file in your repository.")],
    *,
    by: Annotated[str, typer.Option(help="Who says so, as the plan's `owner` names them.")],
    text: Annotated[str, typer.Option(help="What the figures mean, in a sentence.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The list to add it to, instead of standard output."),
    ] = None,
) -> None:
    """Sign what a dashboard's figures mean, for one version.

    That is the version in the file; another needs another word. It is signed with your key on this machine. The plan's
    line names the list as `confirmed`, and counts a word whose key the trust root has for that person.
    """
    if not text.strip():
        raise UsageError("--text says nothing", hint="say what is counted, and what is not")
    version = _version(file)
    before = listed(output, str(output)) if output and outputs.exists(output) else []
    key, signer = _key(by)
    row = confirmed(signer, version, key.name, text.strip(), now())
    if output is None:
        typer.echo(_as_yaml(row), nl=False)
        return
    _add(output, before, row)
    typer.echo(printable(f"{key.name} confirmed version sha256 {version} in {output}"))


def _version(file: Path) -> str:
    try:
        model = json.loads(files.regular(file, dashboard.LARGEST_BYTES))
        dashboard.bare(model)
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}", hint="name the dashboard's file"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{file} is no dashboard: {error}",
            hint="name the JSON that Grafana exports, or `tminus make` wrote",
        ) from error
    assert isinstance(model, dict)  # noqa: S101 - nothing else is a dashboard
    return drift.fingerprint(model)


def _key(by: str) -> tuple[PublicKey, Signer]:
    """This person's key, the one that the trust root of this machine has where it has one."""
    people, place = People(home()), trust_path(home())
    mine = people.of(by)
    if not mine:
        raise RefusedError(
            f"this machine has no key of {by}", hint=f"make one: tminus key new {by!r} --role product-owner"
        )
    trust = load_trust(place) if place.exists() else TrustRoot()
    counting = [key for key in mine if (known := trust.find(key.keyid)) and known.valid_at(timestamp(now()))]
    if not counting:
        public = people.public_file(mine[-1])
        typer.echo(
            f"a word counts where the key was enrolled before it was signed, and no trust root here has it; if your"
            f" team's has not either, enrol it first: tminus trust add {public}",
            err=True,
        )
    key = [*mine, *counting][-1]
    return key, people.open(key, passphrase(by))


def _add(output: Path, before: list[dict[str, Any]], row: dict[str, Any]) -> None:
    """Behind what is there, which stays as it is written."""
    text = files.regular(output, LARGEST_BYTES).decode() if outputs.exists(output) else ""
    whole = f"{text}\n{_as_yaml(row)}" if text and not text.endswith("\n") else text + _as_yaml(row)
    try:
        read = yaml.safe_load(whole)
    except yaml.YAMLError:
        read = None
    if read != [*before, row]:
        raise RefusedError(
            f"{output} is written in a way that nothing can be added to",
            hint="leave -o out, and add what is printed by hand",
        )
    outputs.write(output, whole.encode(), force=True)


def _as_yaml(row: dict[str, Any]) -> str:
    return yaml.safe_dump([row], sort_keys=False, allow_unicode=True, width=110)
