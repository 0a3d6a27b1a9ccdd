"""By which systems people are told, and whom they cannot reach: the block `notify`, and the roles' addresses."""

import re
from email.utils import parseaddr

from tminus.domain.plan import Notify, Plan
from tminus.domain.reach import is_mail
from tminus.domain.reach import unreached as without_a_way
from tminus.planfile.filling import is_placeholder
from tminus.planfile.findings import Findings

_REFERENCE = re.compile(r"(?:env|file):\S+")
_SERVER = re.compile(r"smtps?://[A-Za-z0-9.:\[\]-]+/?")


def notify(found: Findings) -> Notify:
    """The systems; tells which are not written as they must be."""
    written = found.document.notify
    if written.mail and not (_REFERENCE.fullmatch(written.mail) or _SERVER.fullmatch(written.mail)):
        found.tell(
            ("notify", "mail"),
            "`mail` is no mail server; write `env:NAME` or `file:PATH` of smtp://USER:PASSWORD@HOST:PORT",
        )
    if written.mail and not written.sender:
        found.tell(
            ("notify", "mail"),
            "who do mails come from? Add for example `sender: launches@shop.example`",
        )
    if written.sender and not (is_mail(parseaddr(written.sender)[1]) and written.sender.isprintable()):
        found.tell(
            ("notify", "sender"),
            f"{written.sender[:80]!r} is no sender; write for example 'Launch control <launches@shop.example>'",
        )
    _reference(found, ("notify", "slack"), written.slack)
    if written.pager and not _REFERENCE.fullmatch(written.pager):
        found.tell(
            ("notify", "pager"),
            "a pager's address holds the key of its integration; write a reference, `pager: env:NAME` or "
            "`pager: file:PATH`",
        )
    _roles(found)
    return Notify(written.mail, written.sender, written.slack, written.pager)


def unreached(found: Findings, plan: Plan) -> None:
    """Warn of people who can be told nothing: they will hear of no line and of no new date."""
    places = {role.id: index for index, role in enumerate(plan.roles)}
    lost = without_a_way(plan)
    missed = [
        one for one in lost if not plan.roles[places[one.role]].simulated and not is_placeholder(one.person)
    ]
    if missed and not plan.notify.mail and len(lost) == len(plan.roles):
        found.warn(
            ("roles",),
            "nobody will be told of lines that wait and of new dates; add `notify:` with `mail` and `sender`, or "
            "`slack`",
        )
        return
    for one in missed:
        found.warn(
            ("roles", places[one.role]),
            f"role.{one.role}: {one.person} will be told nothing: {one.why}; add `email:`, with `mail` and `sender` "
            "under `notify`, or `slack: env:NAME`",
        )


def _roles(found: Findings) -> None:
    for index, role in enumerate(found.document.roles):
        _reference(found, ("roles", index, "slack"), role.slack)
        if found.document.notify.mail and not is_placeholder(role.email) and not is_mail(role.email):
            found.tell(
                ("roles", index, "email"),
                f"{role.email[:80]!r} is no mail address; write for example 'lena@shop.example'",
            )


def _reference(found: Findings, place: tuple[str | int, ...], text: str) -> None:
    """An incoming webhook is a secret as a whole, so a plan holds a reference."""
    if text and not _REFERENCE.fullmatch(text):
        found.tell(
            place,
            "a webhook is a secret as a whole; write a reference, `slack: env:NAME` or `slack: file:PATH`",
        )
