"""The API server's refusals, in its own shape: a `Status` with a reason, a sentence and causes."""

from collections.abc import Sequence
from typing import Any, TypeVar, cast

Json = dict[str, Any]
T = TypeVar("T")


def copied(value: T) -> T:
    """A JSON value that shares nothing with this one; much faster than a copy of what may be anything."""
    if isinstance(value, dict):
        return cast("T", {key: copied(part) for key, part in value.items()})
    return cast("T", [copied(part) for part in value]) if isinstance(value, list) else value


class ApiProblem(Exception):  # noqa: N818 - the API calls it a status, and it is an answer like any other
    """An answer that is no success."""

    def __init__(self, code: int, reason: str, message: str, causes: Sequence[Json] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.causes = list(causes)

    def status(self) -> Json:
        """It as the API sends it."""
        details: Json = {"causes": self.causes} if self.causes else {}
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
            "reason": self.reason,
            "details": details,
            "code": self.code,
        }


def not_found(what: str, name: str) -> ApiProblem:
    """There is no such object."""
    return ApiProblem(404, "NotFound", f'{what} "{name}" not found')


def conflict(what: str, name: str, why: str) -> ApiProblem:
    """Somebody changed it since it was read."""
    return ApiProblem(409, "Conflict", f'Operation cannot be fulfilled on {what} "{name}": {why}')


def invalid(what: str, name: str, why: str) -> ApiProblem:
    """The object is not one that the server takes."""
    return ApiProblem(422, "Invalid", f'{what} "{name}" is invalid: {why}')


def bad_request(why: str) -> ApiProblem:
    """The request itself is wrong."""
    return ApiProblem(400, "BadRequest", why)
