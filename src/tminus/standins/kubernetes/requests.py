"""What a request asks for: a path and a query of the API in words."""

from dataclasses import dataclass

from aiohttp import web

from . import kinds
from .access import Wish
from .kinds import Kind
from .problems import bad_request, not_found

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_LONGEST_WATCH = 300.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    kind: Kind
    namespace: str
    name: str
    part: str
    """Its sub-resource; empty for the object itself."""
    verb: str
    given_manager: str
    agent: str
    labels: str
    fields: str
    dry: bool
    force: bool
    watches: bool
    bare: bool
    """Whether the metadata alone is wanted."""
    since: int | None
    """The version after which a watch begins; none for now, with what is there."""
    seconds: float

    @property
    def manager(self) -> str:
        """Who manages the fields that this changes: as given, else by the program that asks."""
        return self.given_manager or self.agent.partition("/")[0] or "unknown"

    def wish(self) -> Wish:
        """It as roles allow it or not."""
        part = f"/{self.part}" if self.part else ""
        return Wish(self.verb, self.kind.group, f"{self.kind.plural}{part}", self.namespace, self.name)


def asked(request: web.Request) -> Asked:
    """What a request is about; raises `ApiProblem` for a path or a query that the API does not have."""
    steps = request.path.strip("/").split("/")
    group, version, rest = (
        ("", steps[1], steps[2:]) if steps[0] == "api" and len(steps) > 1 else _group(steps)
    )
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    kind = kinds.at(group, version, rest[0])
    if kind is None or len(rest) > 3:
        raise not_found("the server could not find the requested resource", request.path)
    name, part = [*rest[1:], "", ""][:2]
    if part and part not in kind.subresources:
        raise not_found("the server could not find the requested resource", request.path)
    query = request.query
    watches = request.method == "GET" and query.get("watch") in {"1", "true", "True"}
    reads = "watch" if watches else ("get" if name else "list")
    since = query.get("resourceVersion", "")
    try:
        seconds = float(query.get("timeoutSeconds", _LONGEST_WATCH))
        after = int(since) if since not in {"", "0"} else None
    except ValueError as error:
        raise bad_request(str(error)) from error
    return Asked(
        kind=kind,
        namespace=namespace,
        name=name,
        part=part,
        verb=_VERBS.get(request.method, reads),
        given_manager=query.get("fieldManager", ""),
        agent=request.headers.get("User-Agent", ""),
        labels=query.get("labelSelector", ""),
        fields=query.get("fieldSelector", ""),
        dry=query.get("dryRun") == "All",
        force=query.get("force") in {"1", "true", "True"},
        watches=watches,
        bare="as=PartialObjectMetadata" in request.headers.get("Accept", ""),
        since=after,
        seconds=min(seconds, _LONGEST_WATCH),
    )


def _group(steps: list[str]) -> tuple[str, str, list[str]]:
    if steps[0] != "apis" or len(steps) < 4:
        raise not_found("the server could not find the requested resource", "/".join(steps))
    return steps[1], steps[2], steps[3:]
