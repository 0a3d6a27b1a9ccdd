"""Files: upload, download, describe, remove."""

import hashlib
from collections.abc import AsyncGenerator
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from .database import Row
from .login import User, current_user
from .parts import Id, Wired

MEDIA_TYPES = frozenset({"text/plain", "application/pdf", "application/octet-stream", "image/png"})
"""What may be stored; anything a browser would run is not among it."""
FORM_BYTES = 16_384
"""Room for the multipart headers around a file of the largest size."""

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "required": ["file"],
                }
            }
        },
    }
}

router = APIRouter(dependencies=[Depends(current_user)])


@router.post("/files", status_code=201, openapi_extra=_FORM)
async def upload(request: Request, parts: Wired, user: User) -> Row:
    """Store the file in the form field `file`.

    Too large is seen from the announced length or while reading, so that no client can fill the disk.
    """
    limit = parts.settings.upload_max_bytes
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit + FORM_BYTES:
        raise _too_large(limit)
    file = await _file_field(request, limit)
    content = await file.read()
    media_type = (file.content_type or "").partition(";")[0].strip().lower()
    if len(content) > limit:
        raise _too_large(limit)
    if media_type not in MEDIA_TYPES:
        raise HTTPException(415, f"only {', '.join(sorted(MEDIA_TYPES))} are stored")
    name = (file.filename or "file").replace("\0", "")[:200]
    rows = await parts.database.rows(
        "INSERT INTO files (name, media_type, size, sha256, content, owner) VALUES (%s, %s, %s, %s, %s, %s)"
        " RETURNING id, name, media_type, size, sha256, owner, created_at",
        (name, media_type, len(content), hashlib.sha256(content).hexdigest(), content, user),
    )
    return rows[0]


@router.get("/files/{number}")
async def download(parts: Wired, number: Id) -> Response:
    """The bytes of a file, with their SHA-256 as it was at upload."""
    row = _found(
        await parts.database.row(
            "SELECT name, media_type, sha256, content FROM files WHERE id = %s", (number,)
        ),
        number,
    )
    headers = {
        "X-Content-SHA256": row["sha256"],
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row['name'], safe='')}",
    }
    return Response(bytes(row["content"]), media_type=row["media_type"], headers=headers)


@router.get("/files/{number}/meta")
async def describe(parts: Wired, number: Id) -> Row:
    """Name, type, size and SHA-256 of a file."""
    row = await parts.database.row(
        "SELECT id, name, media_type, size, sha256, owner, created_at FROM files WHERE id = %s", (number,)
    )
    return _found(row, number)


@router.delete("/files/{number}", status_code=204)
async def remove(parts: Wired, number: Id) -> None:
    """Remove a file."""
    _found(await parts.database.row("DELETE FROM files WHERE id = %s RETURNING id", (number,)), number)


async def _file_field(request: Request, limit: int) -> UploadFile:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(415, "send the file as multipart/form-data in the field `file`")
    parser = MultiPartParser(request.headers, _limited(request, limit), max_files=1, max_fields=1)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise HTTPException(422, "the form has no file in the field `file`")
    return file


async def _limited(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit + FORM_BYTES:
            raise _too_large(limit)
        yield chunk


def _too_large(limit: int) -> HTTPException:
    # The rest of the body is not read, so the connection cannot carry another request.
    return HTTPException(413, f"files are limited to {limit} bytes", headers={"Connection": "close"})


def _found(row: Row | None, number: int) -> Row:
    if row is None:
        raise HTTPException(404, f"no file {number}")
    return row
