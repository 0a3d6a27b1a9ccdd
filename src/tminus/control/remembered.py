"""What a step came to, as every engine remembers it: its result, or an error of ours, which is raised again."""

from collections.abc import Awaitable, Callable

from tminus import errors
from tminus.control.ports import Json
from tminus.errors import TminusError


async def kept(act: Callable[[], Awaitable[Json]]) -> Json:
    """Run an act; what it came to, as JSON. An error that is not ours is raised at once and remembered by nobody."""
    try:
        return {"result": await act()}
    except TminusError as error:
        return {"error": _known(error), "message": str(error), "hint": error.hint}


def _known(error: TminusError) -> str:
    """The kind of an error as every process knows it: an adapter's own kinds are what they derive from."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)


def given(remembered: Json) -> Json:
    """The result; raises the error again where it was one."""
    if "error" in remembered:
        kind: type[TminusError] = getattr(errors, str(remembered["error"]))
        raise kind(str(remembered["message"]), hint=str(remembered["hint"]))
    result = remembered["result"]
    assert isinstance(result, dict)  # noqa: S101 - kept() made it
    return result
