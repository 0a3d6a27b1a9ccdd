"""Whether a line can be asked at all: addresses of the right kind, systems that a probe needs beside, a namespace."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tminus.domain import offsets
from tminus.domain.argument import Duration, fits
from tminus.domain.resourcenames import is_label
from tminus.domain.webaddress import unreachable
from tminus.planfile.beside import NAMED, beside, named
from tminus.planfile.document import LineEntry
from tminus.planfile.filling import is_placeholder
from tminus.planfile.findings import Findings
from tminus.planfile.paths import goes_up, upwards
from tminus.planfile.problem import meant
from tminus.planfile.shape import Place

_REFERENCE = re.compile(r"(?:env|file|vault):|\$\{")
_WEB = r"(?i:https?)://[^/\s]"


@dataclass(frozen=True, slots=True)
class _Form:
    """How the addresses of a kind of system look, and how to say it."""

    pattern: str
    words: str


OVER_HTTP = (
    "website",
    "prometheus",
    "alertmanager",
    "grafana",
    "pagerduty",
    "twilio",
    "slack",
    "mail",
    "vault",
)
"""Kinds whose address is that of a web server."""

_FORMS: Mapping[str, _Form] = {
    **{kind: _Form(_WEB, f"for example https://{kind}.example") for kind in OVER_HTTP},
    "kubernetes": _Form(
        r"(?!\w+://)\S", "the path of a kubeconfig, which holds the cluster's address, or `in-cluster`"
    ),
    "logs": _Form(
        r"(?:loki|elasticsearch|opensearch)\+https?://[^/\s]|journal:(?:/.*)?$|files:/",
        "loki+https://…, elasticsearch+https://…, opensearch+https://…, journal: or files:/…",
    ),
}
"""By kind; other kinds are not judged before they are asked."""

_FILES: Collection[tuple[str, str]] = {
    ("grafana.dashboard", "confirmed"),
    ("grafana.dashboard", "copy"),
    ("kubernetes.configmaps", "manifests"),
    ("kubernetes.secrets", "manifests"),
}
"""Probe and argument that name a file of the checkout."""


_JUDGED = re.compile(r"(?:[a-z]+\+)?https?://|rediss?://[^,/]*(?:/|$)|postgres(?:ql)?://[^,/]+(?:/|$)")
"""Addresses of one host each; of others, and of several hosts, their clients alone know the form."""
_EMPTY = ("env:", "file:", "vault:")
_LAG_OF = "logs.arrived"
_LAGS: Mapping[str, str] = {"lag": "60s", "late": "5min"}
"""Its two limits, and what they are when left out."""


def asked(found: Findings) -> None:
    """Tell which lines and addresses nobody could ask, whatever they would answer."""
    for name, system in found.document.systems.items():
        if wrong := _wrong(system.kind, system.address.strip()):
            found.tell(("systems", name, "address"), f"system {name}: {wrong}")
    if not found.whole("systems"):
        return
    for place, _, line in found.lines():
        _named(found, place, line)
        _files(found, place, line)
        kind = beside(line.probe, line.arguments)
        if kind and not _of_kind(found, (kind,)):
            found.tell(
                (*place, "probe"),
                f"{line.id}: {line.probe} needs a system of kind {kind} beside; add it under systems",
            )
        if line.probe.startswith("kubernetes."):
            _namespace(found, place, line)
        if line.probe == _LAG_OF:
            _lag(found, place, line)


def _wrong(kind: str, said: str) -> str:
    """Why an address leads nowhere, and what to write; empty for one that may be right, and where nobody knows yet."""
    if said in _EMPTY:
        return f"`{said}` names nothing; write env:NAME or file:PATH"
    if is_placeholder(said) or _REFERENCE.match(said):
        return ""
    form = _FORMS.get(kind)
    if form is not None and not re.match(form.pattern, said):
        return f"such an address is none of kind {kind}; write {form.words}"
    fault = unreachable(said) if _JUDGED.match(said) else ""
    return f"the address {fault}" if fault else ""


def _named(found: Findings, place: Place, line: LineEntry) -> None:
    for within, name in named(line.probe, line.arguments):
        kinds = NAMED[line.probe, str(within[0])]
        known = _of_kind(found, kinds)
        if name in known or is_placeholder(name) or name.startswith("${"):
            continue
        near = meant(name, known) or (f"; there are {', '.join(known)}" if known else "; there is none")
        found.tell(
            (*place, "with", *within),
            f"{line.id}: {name!r} is no system of kind {' or '.join(kinds)}{near}",
        )


def _files(found: Findings, place: Place, line: LineEntry) -> None:
    for key, value in line.arguments.items():
        if (line.probe, key) in _FILES and isinstance(value, str) and goes_up(value):
            found.tell((*place, "with", key), f"{line.id}: `{key}` {upwards(value)}")


def _namespace(found: Findings, place: Place, line: LineEntry) -> None:
    """The target's namespace is meant where the line's cluster may be the target's."""
    name = line.arguments.get("namespace")
    if isinstance(name, str) and not (is_placeholder(name) or name.startswith("${") or is_label(name)):
        found.tell(
            (*place, "with", "namespace"),
            f"{line.id}: {name!r} is no name of a namespace; write small letters, digits and `-`, as `shop-1`",
        )
    if not line.arguments.get("namespace") and found.document.target is None:
        found.tell(
            place,
            f"{line.id}: nobody says which namespace is meant; write `namespace: NAME` under `with`",
        )


def _lag(found: Findings, place: Place, line: LineEntry) -> None:
    """Lines are late before they are lost."""
    given = {key: line.arguments.get(key, default) for key, default in _LAGS.items()}
    if not all(fits(value, Duration) for value in given.values()):
        return  # told where it stands, or bound later
    if offsets.seconds(str(given["lag"])) >= offsets.seconds(str(given["late"])):
        key = "lag" if "lag" in line.arguments else "late"
        found.tell(
            (*place, "with", key),
            f"{line.id}: with `lag: {given['lag']}` and `late: {given['late']}` lines are lost before they are late; "
            "write a `late` above `lag`",
        )


def _of_kind(found: Findings, kinds: Collection[str]) -> list[str]:
    return [name for name, system in found.document.systems.items() if system.kind in kinds]
