"""Plans, checklists and launches for tests of the export."""

import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tminus.exporting.content import Content
from tminus.exporting.gathering import Planned, of_launch
from tminus.exporting.recorded import Recorded, recorded
from tminus.planfile.document import Document
from tminus.planfile.identity import identity

if TYPE_CHECKING:
    from tests.unit.record_builder import PEOPLE, RecordBuilder
else:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from record_builder import PEOPLE, RecordBuilder

CHECKLIST = b"""# Launch of depot

## Backups
- [ ] Database backup taken
* [X] Backup verified | twice
  1. [x] Roll-up of *both*

## Later
- [ ] SMS for on-call
- [x] Something nobody imported

## Final Sign-Off
- [ ] **DevOps Lead:** _________________ Date: _______
- [ ] **CTO:** _________________ Date: _______

**Decision:** [ ] GO / [ ] NO-GO

**Reason (if NO-GO):** ______
"""

LINES = {
    "Backups": [
        {
            "id": "bk.db",
            "line": "Database backup taken",
            "source_line": 4,
            "probe": "postgres.backup",
            "expect": "empty",
        },
        {"id": "cfg.cors", "line": "Backup verified | twice", "source_line": 5, "attest": "I saw it"},
        {"id": "rb.tested", "line": "Roll-up of both", "source_line": 6, "of": ["bk.db"]},
    ],
    "Final Sign-Off": [
        {"id": "sign.devops", "line": "DevOps Lead", "source_line": 13, "sign": "devops-lead"},
        {"id": "sign.cto", "line": "CTO", "source_line": 14, "sign": "cto"},
    ],
}


def document(text: bytes | None = CHECKLIST, **changes: Any) -> Document:
    """A plan that was imported from this checklist; every block can be replaced."""
    common = {"due": "T-2h", "owner": "devops-lead"}
    data: dict[str, Any] = {
        "plan": "depot",
        "production": False,
        "release": {"components": ["depot"]},
        "systems": {"postgres": {"kind": "postgres"}, "slack": {"kind": "slack", "real": False}},
        "roles": [
            {
                "id": role,
                "title": role.replace("-", " "),
                "person": person,
                "signs": True,
                "decides": role == "cto",
            }
            for role, person in PEOPLE.items()
        ],
        "milestones": ["T-2h", "T-0"],
        "checks": {section: [common | line for line in lines] for section, lines in LINES.items()},
        "omitted": [
            {
                "reason": "no pager",
                "system": "pagerduty",
                "lines": [
                    common
                    | {"id": "route.sms", "line": "SMS for on-call", "section": "Later", "source_line": 9}
                ],
            }
        ],
        "rollout": {"ladder": [{"weight": 100, "watch": "1min", "requests": 1}], "drain": "1s"},
        "triggers": [],
    }
    if text is not None:
        data["source"] = {"path": "checklist.md", "sha256": sha256(text).hexdigest()}
    return Document.model_validate(data | changes)


def planned(plan: Document) -> Planned:
    """A plan with its digest."""
    return Planned(plan, identity(plan))


def told(builder: RecordBuilder) -> Recorded:
    """A built record, verified and read."""
    return recorded("launch.jsonl", b"".join(builder.lines), None)


def content(builder: RecordBuilder, plan: Document | None = None) -> Content:
    """What a built launch says of a plan."""
    return of_launch(told(builder), "launch.jsonl", planned(plan or document()))
