"""Which test shows which verdict of which automatic line, and the page that is made of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

Test = TypeVar("Test", bound=Callable[..., object])

VERDICTS = ("passed", "failed", "inconclusive", "error")
"""What every probed line is shown to be able to come out as."""


@dataclass(frozen=True)
class Case:
    """One test that makes a line come out in one way."""

    line: str
    verdict: str
    how: str
    mutation: int
    """Its number in docs/reference/mutations.md; 0 for what is not in that list."""


CASES: list[Case] = []

EXPLAINED = {
    ("rb.criteria", "error"): "cannot be: a plan that cannot be read is refused before there is a launch",
}
"""Where a line comes out otherwise than its column says; a test shows each."""


def line(check: str, verdict: str, how: str, *, mutation: int = 0) -> Callable[[Test], Test]:
    """Register a test as the one that makes a line come out this way; `how` says what was done to the system."""
    assert verdict in VERDICTS
    CASES.append(Case(check, verdict, how, mutation))

    def unchanged(test: Test) -> Test:
        return test

    return unchanged


def lacking(lines: list[str]) -> list[str]:
    """The lines that no test shows to come out in one of the four ways."""
    shown = {(case.line, case.verdict) for case in CASES}
    return [f"{check}: {verdict}" for check in lines for verdict in VERDICTS if (check, verdict) not in shown]


def caught() -> set[int]:
    """The numbers of the mutations that a test shows to be seen."""
    return {case.mutation for case in CASES if case.mutation}


def page(lines: dict[str, str]) -> str:
    """docs/reference/checks.md: by line, what was done to a real system to make it come out in each way."""
    return "\n".join([*_HEAD, *_rows(lines), ""])


_HEAD = (
    "# How each automatic check was seen to come out",
    "",
    "Made from the integration tests `tests/integration/test_lines*.py`; with `UPDATE_DOCS=1` they rewrite it.",
    "Each row is a test with a real database, a real proxy and real releases, judged by the demo plan's own line:",
    "its probe, arguments, expectation and negative control. Lines about a cluster and about Vault are judged as the",
    "built-in plan has them, on the stand-in for Kubernetes and a real OpenBao, and so is what a person says of",
    "dashboards. Numbers are those of",
    "[mutations.md](mutations.md).",
)


def _rows(lines: dict[str, str]) -> Iterator[str]:
    for check, text in lines.items():
        yield from ("", f"## {check}: {text}", "", "| comes out | when |", "|--|--|")
        for verdict in VERDICTS:
            cases = [case for case in CASES if (case.line, case.verdict) == (check, verdict)]
            said = EXPLAINED.get((check, verdict))
            shown = f"{verdict} ({said})" if said else verdict
            for case in cases:
                number = f" (no. {case.mutation})" if case.mutation else ""
                yield f"| {shown} | {case.how}{number} |"
