"""Alertmanager's named time intervals, held to the rules by which it takes or refuses them.

Source: `timeinterval` of prometheus/alertmanager.
"""

import re
from collections.abc import Callable, Mapping

from tminus.alerting.yamltree import Fault, FaultError, Fields, Node, as_fields, as_text, telling
from tminus.domain import zones

_KNOWN = {"times", "weekdays", "days_of_month", "months", "years", "location"}
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_SHORTEST_MONTH = 28


def check(named: Fields, faults: list[Fault]) -> None:
    """Tell what Alertmanager would refuse in one named interval's times."""
    with telling(faults):
        for node in named.listed("time_intervals"):
            with telling(faults):
                _interval(as_fields(node, "a time interval"), faults)


def _interval(fields: Fields, faults: list[Fault]) -> None:
    faults += [Fault(line, f"{name} is no field of a time interval") for line, name in fields.unknown(_KNOWN)]
    with telling(faults):
        for node in fields.listed("times"):
            with telling(faults):
                _times(as_fields(node, "a range of times"), faults)
    for name, judge in _RANGES.items():
        with telling(faults):
            for node in fields.listed(name):
                with telling(faults):
                    judge(node, *_ends(as_text(node, f"each of {name}")))
    with telling(faults):
        _location(fields)


def _times(fields: Fields, faults: list[Fault]) -> None:
    faults += [
        Fault(line, f"{name} is no field of a range of times")
        for line, name in fields.unknown({"start_time", "end_time"})
    ]
    start, end = (_minutes(fields, name) for name in ("start_time", "end_time"))
    if start >= end:
        raise FaultError(fields.line, f"{fields.text('start_time')} is not before {fields.text('end_time')}")


def _minutes(fields: Fields, name: str) -> int:
    text = fields.text(name)
    if not text:
        raise FaultError(fields.line, f"a range of times lacks its {name}")
    found = _TIME.fullmatch(text)
    if found is None:
        raise FaultError(fields.line_of(name), f"{text!r} is no time of day such as 09:30")
    return 24 * 60 if found[1] is None else int(found[1]) * 60 + int(found[2])


def _location(fields: Fields) -> None:
    name = fields.text("location")
    # Go takes these for UTC and for the zone of the machine.
    if name in {"", "UTC", "Local"}:
        return
    try:
        zones.zone(name)
    except ValueError as error:
        raise FaultError(fields.line_of("location"), str(error)) from error


def _ends(text: str) -> tuple[str, str]:
    """Both ends of a range, in small letters; the same twice for a single one."""
    first, colon, last = text.lower().partition(":")
    return first, last if colon else first


def _whole(node: Node, text: str, what: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise FaultError(node.line, f"{text!r} is no {what}")
    return int(text)


def _weekdays(node: Node, first: str, last: str) -> None:
    for day in (first, last):
        if day not in _DAYS:
            raise FaultError(node.line, f"{day!r} is no day of the week")
    if _DAYS.index(first) > _DAYS.index(last):
        raise FaultError(node.line, f"{first}:{last} ends before it begins; a week begins on Sunday")


def _days(node: Node, first: str, last: str) -> None:
    begin, end = (_whole(node, one, "day of the month") for one in (first, last))
    for day in (begin, end):
        if not 1 <= abs(day) <= 31:
            raise FaultError(node.line, f"{day} is no day of the month")
    if begin < 0 < end:
        raise FaultError(
            node.line, f"{begin}:{end} begins at the month's end and cannot end at its beginning"
        )
    if (begin if begin > 0 else _SHORTEST_MONTH + begin) > (end if end > 0 else _SHORTEST_MONTH + end):
        raise FaultError(node.line, f"{begin}:{end} ends before it begins")


def _months(node: Node, first: str, last: str) -> None:
    begin, end = (
        _MONTHS.index(one) + 1 if one in _MONTHS else _whole(node, one, "month") for one in (first, last)
    )
    if begin > end:
        raise FaultError(node.line, f"{first}:{last} ends before it begins")


def _years(node: Node, first: str, last: str) -> None:
    if _whole(node, first, "year") > _whole(node, last, "year"):
        raise FaultError(node.line, f"{first}:{last} ends before it begins")


_RANGES: Mapping[str, Callable[[Node, str, str], None]] = {
    "weekdays": _weekdays,
    "days_of_month": _days,
    "months": _months,
    "years": _years,
}
