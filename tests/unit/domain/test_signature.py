"""Signatures of probes from their text, and what fits an argument."""

from typing import Annotated, Any, Literal

import pytest

from tminus import probes
from tminus.domain.argument import Argument, Duration, Part, fits, misfits, type_words
from tminus.domain.signature import signatures

SOURCE = '''
from tminus.probes import Probe

@Probe
async def good(site: System, *, path: str, times: int = 5, side: Literal["a", "b"] = "a", parts: list[str],
               share: float | None = None, more: dict[str, int] = {}) -> Observation:
    """What is wrong."""

@Probe
async def odd(site: System, *, thing: Thing) -> Observation:
    """Only the running file knows what a thing is."""

async def helper(site: System, *, path: str) -> None: ...
'''


@pytest.mark.parametrize("name", [name for system in probes.systems() for name in probes.names(system)])
def test_what_is_read_is_what_the_function_says(name: str) -> None:
    assert probes.signature(name) == probes.find(name).arguments()


def test_types_and_defaults_are_read_without_running_the_file() -> None:
    found = signatures(SOURCE)
    assert set(found) == {"good", "odd"}
    assert found["odd"].arguments is None
    arguments = found["good"].arguments
    assert arguments is not None
    assert [(name, argument.kind, argument.needed) for name, argument in arguments.items()] == [
        ("path", str, True),
        ("times", int, False),
        ("side", Literal["a", "b"], False),
        ("parts", list[str], True),
        ("share", float | None, False),
        ("more", dict[str, int], False),
    ]
    assert arguments["times"].unit == "times"


@pytest.mark.parametrize(
    ("value", "kind", "fit"),
    [
        ("a", str, True), (1, str, False), (1, int, True), (True, int, False), (1.0, int, False), ("1", int, False),
        (1, float, True), (1.5, float, True), (True, float, False), (True, bool, True), (1, bool, False),
        (["a"], list[str], True), (["a", 1], list[str], False), ("a", list[str], False),
        ("a", Literal["a", "b"], True), ("c", Literal["a", "b"], False),
        (None, float | None, True), ("x", float | None, False), ({"a": 1}, dict[str, int], True),
        ({"a": "b"}, dict[str, int], False), (object(), Any, True),
        ("95%", Part, True), ("0.95", Part, True), ("0", Part, False), ("most", Part, False), ("120%", Part, False),
        ("1h30min", Duration, True), ("5 minutes", Duration, False), (300, Duration, False),
        (3, Annotated[int, "of another package"], True), ("3", Annotated[int, "of another package"], False),
    ],
)  # fmt: skip
def test_nothing_is_converted(value: Any, kind: Any, fit: bool) -> None:  # noqa: FBT001 - a table's column
    assert fits(value, kind) is fit


def test_types_are_said_in_words() -> None:
    assert [
        type_words(kind)
        for kind in (
            str,
            list[int],
            Literal["a", "b"],
            float | None,
            dict[str, bool],
            Duration,
            Annotated[int, "x"],
        )
    ] == [
        "text",
        "list of whole number",
        "`a` or `b`",
        "number or nothing",
        "mapping of true or false",
        "time such as 5min",
        "whole number",
    ]


def test_everything_that_is_wrong_with_arguments_is_told() -> None:
    known = signatures(SOURCE)["good"].arguments
    assert known is not None
    assert misfits(known, {"pth": "x", "parts": ["${release}"], "times": "${n}", "side": "c"}) == [
        "'pth' is no argument of this probe; did you mean 'path'?",
        "the argument 'path' is missing; write text",
        "the argument 'side' is 'c'; write `a` or `b`",
    ]
    assert misfits({}, {"x": 1}) == ["'x' is no argument of this probe; it has none"]


def test_an_argument_says_type_unit_and_default() -> None:
    assert Argument(int, 500, "requests").words == "whole number (requests), 500 when left out"
    assert Argument(bool, False, "").words == "true or false, false when left out"  # noqa: FBT003 - a default
