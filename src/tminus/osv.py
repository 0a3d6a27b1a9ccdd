"""Advisories about packages, from an API like that of OSV (osv.dev, or a mirror of one's own).

`POST /v1/querybatch` names the advisories of many packages, page by page; `GET /v1/vulns/ID` says what one is about. A
package that the source has never heard of has no advisories there: that cannot be told from a package without any.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from cvss import CVSS2, CVSS3, CVSS4, CVSSError  # type: ignore[import-untyped] # it ships no types

from tminus.domain.vulnerability import Advisory
from tminus.errors import InconclusiveError, UnreachableError
from tminus.http import Answer, Http, connect

SECONDS = 60.0
"""The time limit of everything that one scan asks."""
CALL_SECONDS = 20.0
"""The time limit of one call."""
BATCH = 1000
"""Packages in one question; the API takes no more."""
PAGES = 100
"""Pages of one package at most; more is no answer but a loop."""
AT_ONCE = 8
"""Advisories that are asked for at the same time."""

_VECTORS = {"CVSS_V2": CVSS2, "CVSS_V3": CVSS3, "CVSS_V4": CVSS4}
_HINT = "does an OSV-compatible API stand at this address?"

_Named = dict[str, dict[str, str]]
"""By package: its advisories, and when each was last modified."""


@dataclass(frozen=True, slots=True)
class Osv:
    """One such API."""

    address: str
    """Its base, without `/v1`."""
    _read: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict, repr=False)
    """Advisories that were read already, by id and time of modification: a scan asks only for what is new."""

    async def advisories(self, packages: Sequence[str]) -> list[Advisory]:
        """See `Scanner.advisories`."""
        try:
            async with asyncio.timeout(SECONDS), connect(self.address, seconds=CALL_SECONDS) as http:
                named = await _named(http, packages)
                wanted = sorted({pair for ids in named.values() for pair in ids.items()})
                turns = asyncio.Semaphore(AT_ONCE)
                await asyncio.gather(*(self._fetch(http, turns, pair) for pair in wanted))
        except TimeoutError as error:
            raise UnreachableError(
                f"the scan of {len(packages)} packages took longer than {SECONDS:g} s",
                hint="is the source of advisories overloaded?",
            ) from error
        kept = {pair: self._read[pair] for pair in wanted}
        self._read.clear()
        self._read.update(kept)
        return [
            _advisory(package, kept[pair])
            for package, ids in named.items()
            for pair in ids.items()
            if not kept[pair].get("withdrawn")
        ]

    async def _fetch(self, http: Http, turns: asyncio.Semaphore, pair: tuple[str, str]) -> None:
        if pair in self._read:
            return
        name = pair[0]
        async with turns:
            found = _object(await http.get(f"/v1/vulns/{quote(name, safe='')}"), f"the advisory {name}")
        if found.get("id") != name:
            raise InconclusiveError(
                f"asked for the advisory {name}, the source gave {found.get('id')!r}", hint=_HINT
            )
        self._read[pair] = found


async def _named(http: Http, packages: Sequence[str]) -> _Named:
    """Which advisories there are about each package."""
    named: _Named = {package: {} for package in packages}
    asked: list[tuple[str, str]] = [(package, "") for package in named]
    for _ in range(PAGES):
        more: list[tuple[str, str]] = []
        for begin in range(0, len(asked), BATCH):
            batch = asked[begin : begin + BATCH]
            for (package, _token), result in zip(batch, await _page(http, batch), strict=True):
                named[package] |= dict(_ids(result))
                if token := result.get("next_page_token"):
                    more.append((package, str(token)))
        if not more:
            return named
        asked = more
    raise InconclusiveError(
        f"the source of advisories gives more than {PAGES} pages about {asked[0][0]}", hint=_HINT
    )


async def _page(http: Http, batch: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    queries = [
        {"package": {"purl": package}, **({"page_token": token} if token else {})} for package, token in batch
    ]
    answer = await http.ask("POST", "/v1/querybatch", json_body={"queries": queries})
    results = _object(answer, "the batch").get("results")
    if not isinstance(results, list) or len(results) != len(batch):
        raise InconclusiveError(f"asked about {len(batch)} packages, the answer is about others", hint=_HINT)
    return [result if isinstance(result, dict) else {} for result in results]


def _ids(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for row in result.get("vulns") or []:
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            raise InconclusiveError("the source of advisories names one without an id", hint=_HINT)
        yield row["id"], str(row.get("modified", ""))


def _object(answer: Answer, what: str) -> dict[str, Any]:
    if answer.status != 200:
        said = answer.body[:200].decode(errors="replace").strip()
        raise InconclusiveError(f"{what} was answered with {answer.status}: {said}", hint=_HINT)
    found = answer.json()
    if not isinstance(found, dict):
        raise InconclusiveError(f"{what} was answered with no JSON object", hint=_HINT)
    return found


def _advisory(package: str, document: Mapping[str, Any]) -> Advisory:
    affected = [row for row in document.get("affected") or [] if isinstance(row, dict)]
    scores, words = _ratings([document, *affected])
    return Advisory(
        str(document["id"]),
        package,
        max(scores, default=None),
        _heaviest(words),
        frozenset(str(alias) for alias in document.get("aliases") or []),
    )


def _ratings(parts: Sequence[Mapping[str, Any]]) -> tuple[list[float], list[str]]:
    """Every base score, and every word for how severe it is, wherever the schema lets them stand."""
    scores: list[float] = []
    words: list[str] = []
    for part in parts:
        for row in part.get("severity") or []:
            score = _score(str(row.get("type")), str(row.get("score")))
            scores += [] if score is None else [score]
        for name in ("database_specific", "ecosystem_specific"):
            said = (part.get(name) or {}).get("severity")
            words += [said] if isinstance(said, str) and said else []
    return scores, words


def _score(kind: str, vector: str) -> float | None:
    """The base score of a CVSS vector; nothing for what is none, which leaves the advisory to its other ratings."""
    reader = _VECTORS.get(kind)
    if reader is None:
        return None
    try:
        read = reader(vector)
    except CVSSError:
        return None
    return float(read.base_score)


def _heaviest(words: Sequence[str]) -> str:
    return next((word for word in words if word.upper() == "CRITICAL"), words[0] if words else "")
