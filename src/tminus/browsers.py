"""Pages of other origins as a browser treats them: what is asked for one, and what the answers let it do.

The rules are those of the Fetch standard (https://fetch.spec.whatwg.org), "CORS protocol".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from tminus.domain.canonical import JsonValue
from tminus.errors import InconclusiveError
from tminus.http import BUSY, Answer, Http, busy

FOREIGN = "https://evil.example"
"""An origin that nobody lets in; the name is reserved for examples."""

SAFE_METHODS = frozenset({"GET", "HEAD", "POST"})
"""What a page may do without being allowed by name."""

LONGEST_AGE = 86_400
"""Seconds that a browser may keep a preflight; longer, and a change of the list reaches nobody."""

REFUSED = {
    401: ": a browser shows no login with a preflight; let OPTIONS be answered before a login is asked for",
    403: ": a page goes on after 2xx alone; let OPTIONS be answered without a login, and allow this origin",
    404: ": a page goes on after 2xx alone; let the path answer OPTIONS too",
}
"""What it means that a preflight is refused: it is asked without credentials, and only an ok status lets a page on."""


async def as_a_page(
    http: Http, path: str, origin: str, methods: Sequence[str], headers: Sequence[str]
) -> dict[str, Answer]:
    """What a browser gets for a page of this origin: a preflight for each method, and a simple GET.

    Raises `UnreachableError` where the service takes no more requests, and `InconclusiveError` where it fails, which
    says nothing of origins.
    """
    found: dict[str, Answer] = {}
    for method in methods:
        asked = {"Origin": origin, "Access-Control-Request-Method": method}
        if headers:
            asked["Access-Control-Request-Headers"] = ", ".join(name.lower() for name in sorted(headers))
        found[f"preflight {method}"] = await http.ask("OPTIONS", path, headers=asked)
    found["GET"] = await http.ask("GET", path, headers={"Origin": origin})
    for what, reply in found.items():
        if reply.status == BUSY:
            raise busy(f"{path}, asked by {what} for {origin},", reply.headers)
        if reply.status >= 500:
            raise InconclusiveError(
                f"{what} for {origin} is answered with {reply.status}", hint="see why the service fails"
            )
    return found


def demand_path(path: str, statuses: Iterable[int]) -> None:
    """Raise `InconclusiveError` where every origin was told 404: what is not there says nothing of origins."""
    if {*statuses} == {404}:
        raise InconclusiveError(
            f"there is no {path}: each preflight and GET is answered with 404",
            hint="let `path` be one that pages of other origins ask for",
        )


def foreign(origins: Sequence[str]) -> Iterator[str]:
    """The origins that must be kept out: a foreign one, `null`, and what only resembles one of these."""
    made = [FOREIGN, "null"]
    for origin in origins:
        parts = urlsplit(origin)
        host, _, above = parts.netloc.partition(".")
        made += [f"http://{parts.netloc}", f"{origin}.evil.example"]
        if "." in above:
            made.append(f"{parts.scheme}://not-{host}.{above}")
    yield from (origin for origin in dict.fromkeys(made) if origin not in origins)


def access(reply: Answer) -> JsonValue:
    """What an answer says to a page of another origin: its status and the headers about it."""
    told = {
        name.removeprefix("access-control-"): value
        for name, value in sorted(reply.headers.items())
        if name.startswith("access-control-") or name == "vary"
    }
    return {"status": reply.status, **told}


def _listed(reply: Answer, name: str) -> set[str]:
    return {part.strip().lower() for part in reply.headers.get(name, "").split(",") if part.strip()}


def kept_out(origin: str, answers: Mapping[str, Answer], headers: Sequence[str]) -> Iterator[str]:
    """What a browser would refuse to a page that the plan lets in, and answers that a cache would mix up."""
    for what, reply in answers.items():
        allowed = reply.headers.get("access-control-allow-origin", "")
        if allowed != origin or (what != "GET" and reply.status >= 300):
            named = f"allows {allowed}" if allowed else "allows no origin"
            said = REFUSED.get(reply.status, "") if what != "GET" else ""
            yield f"{origin} is not let in by its name: {what} {named} ({reply.status}){said}"
            continue
        if not _listed(reply, "vary") & {"origin", "*"}:
            yield f"{what} for {origin} does not vary: let `Vary` name `Origin`"
        if what != "GET":
            yield from _ungranted(origin, what.removeprefix("preflight "), reply, headers)


def _ungranted(origin: str, method: str, reply: Answer, headers: Sequence[str]) -> Iterator[str]:
    if method not in SAFE_METHODS and not _listed(reply, "access-control-allow-methods") & {
        method.lower(),
        "*",
    }:
        yield f"{origin} may not {method}"
    granted = _listed(reply, "access-control-allow-headers")
    # `*` stands for every header but this one.
    any_but = {"authorization"} if "*" in granted else {name.lower() for name in headers}
    lacking = [name for name in headers if name.lower() in any_but - granted]
    if lacking:
        yield f"{origin} may not send {', '.join(lacking)} with {method}"


def kept_long(origin: str, answers: Mapping[str, Answer]) -> Iterator[str]:
    """Whether a browser asks again often enough to notice a changed list."""
    ages = {reply.headers.get("access-control-max-age") for what, reply in answers.items() if what != "GET"}
    for age in sorted(age or "" for age in ages):
        if not age:
            yield f"a preflight for {origin} has no Access-Control-Max-Age; set one of a day at most"
        elif not age.isdigit() or int(age) > LONGEST_AGE:
            yield f"browsers keep a preflight for {origin} for {age} s; set a day at most"


def let_in(origin: str, answers: Mapping[str, Answer]) -> Iterator[str]:
    """What a page may read that must be kept out."""
    for what, reply in answers.items():
        allowed = reply.headers.get("access-control-allow-origin")
        secret = reply.headers.get("access-control-allow-credentials", "").lower() == "true"
        if allowed is not None:
            yield f"{origin} is let in: {what} allows {allowed}{' with credentials' if secret else ''}"
            return
