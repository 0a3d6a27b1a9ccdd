"""`tminus make rights`: what a cluster has to let tminus do, for whoever keeps the cluster to apply."""

from collections.abc import Iterable
from typing import Annotated

import typer
import yaml

from tminus.cli import outputs
from tminus.cli.making import Force, Output
from tminus.cli.streams import told
from tminus.domain.resourcenames import is_label, is_subdomain
from tminus.errors import UsageError
from tminus.kubernetes.rights import rights as rights_for

_HEAD = """\
# Made by `tminus make rights`; make it anew rather than change it by hand.
# For the account `tminus` of that namespace, which has to be there. To the API the right to read a Secret's metadata
# is the right to read the Secret: bind it to names with --secret.
"""


def rights(
    namespace: Annotated[
        str, typer.Argument(help="The namespace whose ConfigMaps and Secrets are looked at.")
    ],
    *,
    secret: Annotated[
        list[str] | None,
        typer.Option(help="A Secret that tminus may ask for; may be given again. All of them without one."),
    ] = None,
    store: Annotated[
        list[str] | None,
        typer.Option(help="A ClusterSecretStore likewise; may be given again. All of them without one."),
    ] = None,
    output: Output = None,
    force: Force = False,
) -> None:
    """Make the Kubernetes roles that tminus needs to look at ConfigMaps and Secrets.

    A Role, a ClusterRole for the stores that namespaces share, and their bindings to the account `tminus`; nothing in
    them writes but the dry run of ConfigMaps.
    """
    if not is_label(namespace):
        raise UsageError(
            f"{namespace!r} is no name of a namespace", hint="write it as `kubectl get ns` shows it"
        )
    secrets, stores = _names("--secret", secret), _names("--store", store)
    text = _HEAD + yaml.safe_dump_all(rights_for(namespace, secrets, stores), sort_keys=False, width=110)
    if output:
        outputs.write(output, text.encode(), force=force)
        return
    with told():
        typer.echo(text, nl=False)


def _names(option: str, given: Iterable[str] | None) -> list[str]:
    names = [*(given or ())]
    for name in names:
        if not is_subdomain(name):
            raise UsageError(
                f"{option} {name!r} is no name of an object", hint=f"write {option} shop-database"
            )
    return names
