"""What the stand-in for Grafana keeps: dashboards with their versions, library panels, data sources.

Every change stands in the journal before it is answered, so that a stand-in that was killed knows all of it again.
"""

import copy
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .journal import Journal, Kept

LONGEST_UID = 40
_UID = re.compile(r"[A-Za-z0-9_-]+")
_SAVED = frozenset({"dashboard", "folderId", "folderUid", "message", "overwrite"})
_SOURCE = frozenset({"uid", "name", "type", "url", "access", "isDefault", "jsonData", "basicAuth", "told"})
_ELEMENT = frozenset({"uid", "name", "kind", "model", "folderUid", "folderId"})
PANEL_ELEMENT = 1
"""The kind of library element that is a panel."""


class Refused(Exception):  # noqa: N818 - what Grafana says, and no fault of ours
    """What Grafana would not do: an HTTP status and its body."""

    def __init__(self, status: int, message: str, state: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, **({"status": state} if state else {})}


@dataclass(slots=True)
class Entry:
    """One dashboard, and when it was made and changed."""

    model: dict[str, Any]
    number: int
    created: float
    updated: float
    message: str = ""
    provisioned: bool = False
    folder: str = ""
    """The uid of its folder; empty for the one that everybody may open."""

    @property
    def slug(self) -> str:
        """Its title as addresses have it."""
        return re.sub(r"[^a-z0-9]+", "-", str(self.model["title"]).lower()).strip("-")

    @property
    def url(self) -> str:
        """Where people open it."""
        return f"/d/{self.model['uid']}/{self.slug}"


@dataclass(slots=True)
class Store:
    """Everything that is kept."""

    journal: Journal
    now: Callable[[], float]
    dashboards: dict[str, Entry] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    elements: dict[str, dict[str, Any]] = field(default_factory=dict)
    _numbers: int = 0

    def __post_init__(self) -> None:
        for kept in self.journal.read():
            self._take(kept)

    def save(self, body: Any, *, provisioned: bool = False) -> Entry:
        """Keep a dashboard as Grafana would; raises `Refused` with its reason when it would not."""
        model = _dashboard(body)
        uid = str(model.get("uid") or "")
        there = self.dashboards.get(uid)
        if model.get("id") is not None and model["id"] not in {
            one.number for one in self.dashboards.values()
        }:
            raise Refused(404, "Dashboard not found", "not-found")
        if there is not None and model.get("id") not in {None, there.number}:
            raise Refused(412, "A dashboard with the same uid already exists", "name-exists")
        changed = there is not None and model.get("version", 0) != there.model["version"]
        if changed and body.get("overwrite") is not True:
            raise Refused(412, "The dashboard has been changed by someone else", "version-mismatch")
        version = there.model["version"] + 1 if there is not None else 1
        model |= {"uid": uid or secrets.token_hex(7), "version": version}
        # Whoever names no folder moves it out of the one that it lies in.
        folder = body.get("folderUid") or ""
        message = body.get("message") or ""
        data = {"model": model, "message": message, "provisioned": provisioned, "folder": folder}
        self._keep("dashboard", data)
        return self.dashboards[model["uid"]]

    def delete(self, uid: str) -> Entry:
        """Forget a dashboard; raises `Refused` where there is none."""
        if uid not in self.dashboards:
            raise Refused(404, "Dashboard not found")
        gone = self.dashboards[uid]
        self._keep("deleted", {"uid": uid})
        return gone

    def add_source(self, body: Any) -> dict[str, Any]:
        """Know a data source; raises `Refused` for what is none."""
        if (
            not isinstance(body, dict)
            or set(body) - _SOURCE
            or not all(isinstance(body.get(name), str) and body[name] for name in ("name", "type"))
        ):
            raise Refused(400, "bad request data")
        uid = str(body.get("uid") or secrets.token_hex(7))
        self._keep("source", {"access": "proxy", "isDefault": False, "jsonData": {}, **body, "uid": uid})
        return self.sources[uid]

    def remove_source(self, uid: str) -> None:
        """Forget a data source; raises `Refused` where there is none."""
        if uid not in self.sources:
            raise Refused(404, "Data source not found")
        self._keep("source gone", {"uid": uid})

    def add_element(self, body: Any) -> dict[str, Any]:
        """Keep a library panel; raises `Refused` for what is none."""
        if (
            not isinstance(body, dict)
            or set(body) - _ELEMENT
            or not (
                isinstance(body.get("model"), dict) and body.get("kind") == PANEL_ELEMENT and body.get("name")
            )
        ):
            raise Refused(400, "bad request data")
        uid = str(body.get("uid") or secrets.token_hex(7))
        self._keep("element", {**body, "uid": uid})
        return self.elements[uid]

    def remove_element(self, uid: str) -> None:
        """Forget a library panel; raises `Refused` where there is none."""
        if uid not in self.elements:
            raise Refused(404, "library element could not be found")
        self._keep("element gone", {"uid": uid})

    def provision(self, folder: Path) -> None:
        """Keep every dashboard of a folder, as Grafana does at its start; what is there already stays as it is."""
        for path in sorted(folder.glob("*.json")):
            model = json.loads(path.read_text(encoding="utf-8"))
            there = self.dashboards.get(model["uid"])
            if there is None or {**there.model, "id": None, "version": None} != {
                **model,
                "id": None,
                "version": None,
            }:
                self.save({"dashboard": {**model, "id": None}, "overwrite": True}, provisioned=True)

    def _keep(self, kind: str, data: dict[str, Any]) -> None:
        kept = Kept(kind, self.now(), copy.deepcopy(data))
        self.journal.append(kept)
        self._take(kept)

    def _take(self, kept: Kept) -> None:
        data, uid = kept.data, str(kept.data.get("uid", ""))
        if kept.kind == "dashboard":
            self._take_dashboard(data, kept.at)
        elif kept.kind == "source":
            self._numbers += 1
            self.sources[uid] = {"id": self._numbers, "orgId": 1, "readOnly": False, **data}
        elif kept.kind == "element":
            self.elements[uid] = data
        else:
            places: dict[str, dict[str, Any]] = {
                "deleted": self.dashboards,
                "source gone": self.sources,
                "element gone": self.elements,
            }
            del places[kept.kind][uid]

    def _take_dashboard(self, data: dict[str, Any], at: float) -> None:
        model = data["model"]
        there = self.dashboards.get(model["uid"])
        if there is None:
            self._numbers += 1
        number = there.number if there is not None else self._numbers
        created = there.created if there is not None else at
        self.dashboards[model["uid"]] = Entry(
            {**model, "id": number},
            number,
            created,
            at,
            data["message"],
            data["provisioned"],
            data.get("folder", ""),
        )


def _dashboard(body: Any) -> dict[str, Any]:
    """The model in a request to keep one; raises `Refused` for what Grafana would not take."""
    if not isinstance(body, dict) or set(body) - _SAVED or not isinstance(body.get("dashboard"), dict):
        raise Refused(400, "bad request data")
    texts = [body.get(name) or "" for name in ("message", "folderUid")]
    if not isinstance(body.get("overwrite", False), bool) or not all(isinstance(one, str) for one in texts):
        raise Refused(400, "bad request data")
    model = dict(body["dashboard"])
    if not isinstance(model.get("title"), str) or not model["title"].strip():
        raise Refused(400, "Dashboard title cannot be empty", "empty-name")
    uid = model.get("uid")
    if uid and not (isinstance(uid, str) and _UID.fullmatch(uid)):
        raise Refused(400, "uid contains illegal characters")
    if uid and len(uid) > LONGEST_UID:
        raise Refused(400, f"uid too long, max {LONGEST_UID} characters")
    for name, kinds in (("panels", list), ("templating", dict), ("tags", list), ("schemaVersion", int)):
        if name in model and not isinstance(model[name], kinds):
            raise Refused(400, "bad request data")
    return model
