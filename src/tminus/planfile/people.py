"""Who answers, signs and decides: every role that is named exists, and one person signs one role."""

import re

from tminus.domain.people import alike
from tminus.planfile.document import RoleEntry
from tminus.planfile.filling import is_placeholder
from tminus.planfile.findings import Findings
from tminus.planfile.problem import meant

_ROLE = re.compile(r"[a-z0-9-]{1,40}")


def people(found: Findings) -> None:
    """Tell what is wrong with the roles, and where a role is named that nobody could hold."""
    _names(found)
    _one_role_each(found)
    if found.whole("roles"):
        _somebody(found)
        _named(found)


def _names(found: Findings) -> None:
    for index, role in enumerate(found.document.roles):
        if not _ROLE.fullmatch(role.id):
            found.tell(
                ("roles", index, "id"), f"{role.id!r} is no role's id; write a-z, 0-9 and - only, 40 at most"
            )
        if found.document.production and role.simulated:
            found.tell(
                ("roles", index), f"{role.person} is simulated; a plan marked production needs a person"
            )


def _one_role_each(found: Findings) -> None:
    acting: dict[str, str] = {}
    for index, role in enumerate(found.document.roles):
        if not (role.signs or role.decides) or is_placeholder(role.person):
            continue
        person = alike(role.person)
        if person in acting:
            found.tell(
                ("roles", index),
                f"{role.person} signs as {acting[person]} already; one person, one role",
            )
        acting.setdefault(person, role.id)


def _somebody(found: Findings) -> None:
    roles = found.document.roles
    if not any(role.decides for role in roles):
        found.tell(("roles",), "nobody decides GO or NO-GO; give one role `decides: true`")
    if not any(role.signs for role in roles):
        found.tell(("roles",), "nobody signs; give the signing roles `signs: true`")


def _named(found: Findings) -> None:
    known: dict[str, RoleEntry] = {role.id: role for role in found.document.roles}
    for place, _, line in found.lines():
        for key, name in (("owner", line.owner), ("sign", line.sign)):
            if name and name not in known:
                found.tell((*place, key), f"{line.id}: {_unknown(name, list(known))}")
        if line.sign in known and not known[line.sign].signs:
            found.tell(
                (*place, "sign"), f"{line.id}: the role {line.sign!r} does not sign; add `signs: true`"
            )
    for place, left in found.left_out():
        if not isinstance(left, str) and left.owner not in known:
            found.tell((*place, "owner"), f"{left.id}: {_unknown(left.owner, list(known))}")


def _unknown(name: str, known: list[str]) -> str:
    every = ", ".join(known)
    return f"no role {name!r} in this plan{meant(name, known) or '; roles: ' + every}"
