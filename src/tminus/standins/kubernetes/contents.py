"""What the API server takes as the content of a ConfigMap and a Secret, and how it keeps it."""

import binascii
import re
from base64 import b64decode, b64encode
from typing import Any

from .kinds import Kind
from .problems import bad_request, copied, invalid

Json = dict[str, Any]
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_HELD = ("data", "binaryData", "immutable")


def admitted(kind: Kind, thing: Json) -> Json:
    """The object as it is kept; raises `ApiProblem` for what is no content of its kind."""
    if kind.kind not in {"ConfigMap", "Secret"}:
        return thing
    new = copied(thing)
    for holder in ("data", "stringData"):
        for key, value in (new.get(holder) or {}).items():
            if value is not None and not isinstance(value, str):
                raise bad_request(
                    f'{kind.kind} in version "v1" cannot be handled as a {kind.kind}: json: cannot unmarshal '
                    f"{_named(value)} into Go struct field {kind.kind}.{holder} of type string"
                )
            if not _KEY.fullmatch(key):
                why = f"{holder}[{key}]: Invalid value: a valid config key must consist of letters, digits, -, _ or ."
                raise invalid(kind.kind, new.get("metadata", {}).get("name", ""), why)
    if kind.kind == "Secret":
        _as_secret(new)
    return new


def _named(value: Any) -> str:
    return "bool" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "object"


def _as_secret(new: Json) -> None:
    for value in (new.get("data") or {}).values():
        try:
            b64decode(value or "", validate=True)
        except (binascii.Error, ValueError) as error:
            raise bad_request("illegal base64 data at input byte 0") from error
    plain = new.pop("stringData", None) or {}
    if plain:
        new["data"] = {
            **(new.get("data") or {}),
            **{key: b64encode(value.encode()).decode() for key, value in plain.items()},
        }


def must_be_allowed(kind: Kind, live: Json, new: Json) -> None:
    """Raise `ApiProblem` 422 for another content of what was made immutable."""
    if kind.kind not in {"ConfigMap", "Secret"} or not live.get("immutable"):
        return
    for holder in _HELD:
        if live.get(holder) != new.get(holder):
            why = f"{holder}: Forbidden: field is immutable when `immutable` is set"
            raise invalid(kind.kind, live["metadata"]["name"], why)
