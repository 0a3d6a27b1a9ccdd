"""Which dashboard a line of a plan means, and the repository's copy of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tminus import files
from tminus.domain import dashboard, panelkinds
from tminus.errors import InconclusiveError
from tminus.grafana.api import Grafana


@dataclass(frozen=True, slots=True)
class Wanted:
    """A dashboard as a line names it."""

    kind: str = ""
    """`application`, `infrastructure`, `security` or `business`; empty for none of them."""
    panels: tuple[str, ...] = ()
    """What it must show; what its kind must, where there is none."""
    uid: str = ""
    title: str = ""
    copy: str = ""
    """The file with the repository's copy."""
    confirmed: str = ""
    """The file with the record of who has confirmed what its figures mean."""
    owner: str = ""
    """Whose word is needed for that; anybody's where it is empty."""

    @property
    def required(self) -> tuple[str, ...]:
        """What it must show."""
        return self.panels or panelkinds.KINDS.get(self.kind, ())

    @property
    def words(self) -> str:
        """What people call it before it is found."""
        return (
            self.title
            or self.copy
            or (f"the {self.kind} dashboard" if self.kind else f"the dashboard {self.uid}")
        )


def copied(wanted: Wanted, folder: Path) -> dict[str, Any] | None:
    """The repository's copy; nothing where the line names none.

    Raises `InconclusiveError` for a file that cannot be read, or is no dashboard.
    """
    if not wanted.copy:
        return None
    path = folder / wanted.copy
    hint = "let `copy` name the dashboard's file in the checkout that tminus is started in"
    try:
        text = files.regular(path, dashboard.LARGEST_BYTES)
    except OSError as error:
        raise InconclusiveError(
            f"the copy {wanted.copy} cannot be read: {error.strerror}", hint=hint
        ) from error
    try:
        document = json.loads(text)
        dashboard.bare(document)
    except ValueError as error:
        raise InconclusiveError(f"the copy {wanted.copy} is no dashboard: {error}", hint=hint) from error
    assert isinstance(document, dict)  # noqa: S101 - nothing else is a dashboard
    return document


async def uid_of(api: Grafana, wanted: Wanted, copy: dict[str, Any] | None) -> str | None:
    """The uid of the dashboard that is meant: the one given, the copy's, or that of the one title that fits.

    Nothing where there is none. Raises `InconclusiveError` where several fit.
    """
    written = wanted.uid or (str(dashboard.bare(copy).get("uid") or "") if copy else "")
    if written:
        return written
    title = wanted.title or (str(dashboard.bare(copy)["title"]) if copy else "")
    words = title or wanted.kind
    found = await api.search(words)
    same = [uid for uid, called in found if called.strip().lower() == words.strip().lower()]
    fitting = same or [uid for uid, called in found if words.lower() in called.lower()]
    if len(fitting) > 1:
        raise InconclusiveError(
            f"{len(fitting)} dashboards could be meant by {words!r}: {_titles(found, fitting)}",
            hint="write the `uid` of the one that is meant, or the `copy` in the repository",
        )
    return fitting[0] if fitting else None


async def missing(api: Grafana, wanted: Wanted, copy: dict[str, Any] | None, uid: str) -> str:
    """What to say of a dashboard that is not there: under which uid one of the same title is, if there is one."""
    if not uid:
        return f"{wanted.words} is missing: no dashboard's title holds {wanted.title or wanted.kind!r}"
    title = wanted.title or (str(dashboard.bare(copy)["title"]) if copy else "")
    same = [found for found, called in await api.search(title) if called == title] if title else []
    other = f"; {', '.join(same)} has the same title" if same else ""
    return f"{wanted.words} is missing: no dashboard has the uid {uid}{other}; import it from the repository"


def _titles(found: Sequence[tuple[str, str]], uids: Sequence[str]) -> str:
    return ", ".join(f"{title} ({uid})" for uid, title in found if uid in uids)
