"""Flags over HTTP: the OpenFeature Remote Evaluation Protocol to read, `/flags` for operations to change.

Protocol: https://github.com/open-feature/protocol, `service/openapi.yaml`.
"""

import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from fastapi.responses import JSONResponse
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode, ProviderNotReadyError
from openfeature.flag_evaluation import FlagEvaluationDetails, FlagValueType
from psycopg.types.json import Jsonb

from .admin import admin_only
from .database import Row
from .flags import TARGETING_KEY, Definition
from .login import current_user
from .parts import Wired

router = APIRouter(prefix="/ofrep/v1/evaluate/flags", dependencies=[Depends(current_user)])
orders = APIRouter(prefix="/flags", dependencies=[Depends(admin_only)])

Key = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]


class _ContextError(Exception):
    """A request whose context cannot be used."""

    def __init__(self, code: ErrorCode, why: str) -> None:
        super().__init__(why)
        self.code = code


@router.post("/{key}")
async def evaluate_one(request: Request, parts: Wired, key: str) -> Response:
    """The value of one flag for a context."""
    try:
        details = await parts.flags.evaluate(key, await _context(request))
    except _ContextError as error:
        return JSONResponse({"key": key, "errorCode": error.code, "errorDetails": str(error)}, 400)
    except ProviderNotReadyError as error:
        return JSONResponse({"errorDetails": error.error_message}, 500)
    if details.error_code is None:
        return JSONResponse(_told(details))
    status = 404 if details.error_code == ErrorCode.FLAG_NOT_FOUND else 400
    return JSONResponse(_told(details), status)


@router.post("")
async def evaluate_all(request: Request, parts: Wired) -> Response:
    """The values of all flags for a context; 304 when the asker has them already."""
    try:
        context = await _context(request)
        flags = [_told(await parts.flags.evaluate(key, context)) for key in await parts.flags.keys()]
    except _ContextError as error:
        return JSONResponse({"errorCode": error.code, "errorDetails": str(error)}, 400)
    except ProviderNotReadyError as error:
        return JSONResponse({"errorDetails": error.error_message}, 500)
    digest = hashlib.sha256(json.dumps(flags, sort_keys=True).encode()).hexdigest()
    tag = f'"{digest}"'
    if tag in (part.strip() for part in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers={"ETag": tag})
    return JSONResponse({"flags": flags}, headers={"ETag": tag})


@orders.get("/{key}")
async def read_flag(parts: Wired, key: Key) -> Row:
    """The definition of a flag, and when it was changed last."""
    query = "SELECT key, definition, changed_at FROM flags WHERE key = %s"
    found = await parts.database.row(query, (key,))
    if found is None:
        raise HTTPException(404, f"no flag {key}")
    return found


@orders.put("/{key}")
async def define_flag(parts: Wired, key: Key, definition: Definition) -> Row:
    """Define a flag anew; in force everywhere within a second."""
    rows = await parts.database.rows(
        "INSERT INTO flags (key, definition) VALUES (%s, %s) ON CONFLICT (key) DO UPDATE"
        " SET definition = excluded.definition, changed_at = now() RETURNING key, definition, changed_at",
        (key, Jsonb(definition.model_dump())),
    )
    return rows[0]


@orders.delete("/{key}", status_code=204)
async def remove_flag(parts: Wired, key: Key) -> None:
    """Remove a flag; code that reads it gets its own default."""
    if await parts.database.row("DELETE FROM flags WHERE key = %s RETURNING key", (key,)) is None:
        raise HTTPException(404, f"no flag {key}")


async def _context(request: Request) -> EvaluationContext:
    try:
        body = await request.json()
    except ValueError as error:
        raise _ContextError(ErrorCode.PARSE_ERROR, "the body is no JSON") from error
    given = body.get("context", {}) if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise _ContextError(ErrorCode.INVALID_CONTEXT, "the context is no JSON object")
    key = given.get(TARGETING_KEY)
    if not (key is None or isinstance(key, str)):
        raise _ContextError(ErrorCode.INVALID_CONTEXT, f"{TARGETING_KEY} is no text")
    attributes = {name: value for name, value in given.items() if name != TARGETING_KEY}
    return EvaluationContext(key, attributes)


def _told(details: FlagEvaluationDetails[FlagValueType]) -> dict[str, Any]:
    if details.error_code is not None:
        why = details.error_message or ""
        return {"key": details.flag_key, "errorCode": details.error_code, "errorDetails": why}
    return {
        "key": details.flag_key,
        "value": details.value,
        "variant": details.variant,
        "reason": details.reason,
        "metadata": dict(details.flag_metadata),
    }
