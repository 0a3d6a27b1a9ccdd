"""A depot with something in it: documents and files that look like an archive's, always the same ones.

States a desired result: running it again changes nothing, and what was altered or removed by hand is put back.
Only what belongs to the owners `archive` and `canary` is touched, and flags that are missing.
"""

import hashlib
import random
import struct
import zlib
from collections.abc import Iterator

import psycopg
from psycopg.types.json import Jsonb

from . import canaries

OWNER = "archive"
"""Owns what is seeded; nobody can log in under this name."""

FLAGS: dict[str, dict[str, object]] = {
    # The kill switch of exports.
    "exports": {"enabled": True, "variants": {"on": True, "off": False}, "default": "on", "rules": []},
    "result-style": {
        "enabled": True,
        "variants": {"plain": "plain", "cards": "cards"},
        "default": "plain",
        "rules": [{"attribute": "audience", "values": ["beta", "staff"], "variant": "cards"}],
    },
}
"""The flags that a fresh depot has."""

_KINDS = (
    "Invoice",
    "Contract",
    "Minutes",
    "Report",
    "Offer",
    "Complaint",
    "Manual",
    "Permit",
    "Survey",
    "Memo",
)
_FIRMS = (
    "Brenner Logistics",
    "Alta Foods",
    "Kestrel Labs",
    "Northwind Rail",
    "Sable Insurance",
    "Orchard Bank",
    "Tidewater Energy",
    "Juniper Clinics",
    "Marlin Shipping",
    "Cobalt Press",
)
_SUBJECTS = (
    "delivery",
    "payment",
    "warranty",
    "maintenance",
    "insurance",
    "schedule",
    "shipment",
    "budget",
    "inspection",
    "renewal",
    "transport",
    "storage",
    "safety",
    "training",
    "procurement",
    "refund",
)
_VERBS = ("confirms", "disputes", "describes", "postpones", "approves", "cancels", "summarises", "requests")
_PLACES = ("Rotterdam", "Graz", "Porto", "Leeds", "Turku", "Lyon", "Gdansk", "Bergen", "Malmo", "Trieste")


def fill(connection: psycopg.Connection, documents: int) -> dict[str, int]:
    """Make the store hold exactly this many sample documents, the sample files, and flags.

    The canaries are among the documents and are always all there, also when fewer documents are wanted.

    Returns how many rows had to be removed and added.
    """
    with connection.transaction():
        connection.execute("LOCK TABLE documents IN SHARE ROW EXCLUSIVE MODE")
        changed = _documents(connection, OWNER, _texts(documents - canaries.COUNT), "documents")
        changed |= _documents(connection, canaries.OWNER, canaries.texts(), "canaries")
        files = sum(_file(connection, *sample) for sample in _samples())
        flags = sum(_flag(connection, *flag) for flag in FLAGS.items())
    return {**changed, "files_added": files, "flags_added": flags}


def _documents(
    connection: psycopg.Connection, owner: str, texts: Iterator[tuple[int, str, str]], what: str
) -> dict[str, int]:
    connection.execute("DROP TABLE IF EXISTS wanted")
    connection.execute("CREATE TEMPORARY TABLE wanted (number integer, title text, body text) ON COMMIT DROP")
    with connection.cursor() as cursor, cursor.copy("COPY wanted (number, title, body) FROM STDIN") as copy:
        for row in texts:
            copy.write_row(row)
    removed = connection.execute(
        "DELETE FROM documents d WHERE owner = %s AND NOT EXISTS"
        " (SELECT FROM wanted w WHERE w.title = d.title AND w.body = d.body)",
        (owner,),
    )
    added = connection.execute(
        "INSERT INTO documents (title, body, owner) SELECT w.title, w.body, %s FROM wanted w WHERE NOT EXISTS"
        " (SELECT FROM documents d WHERE d.owner = %s AND d.title = w.title AND d.body = w.body)"
        " ORDER BY w.number",
        (owner, owner),
    )
    _write_ledger(connection, owner)
    return {f"{what}_removed": removed.rowcount, f"{what}_added": added.rowcount}


def _write_ledger(connection: psycopg.Connection, owner: str) -> None:
    """Have the ledger say about an owner what is stored now."""
    connection.execute(
        "DELETE FROM document_ledger l WHERE owner = %s AND NOT EXISTS"
        " (SELECT FROM documents d WHERE d.id = l.document_id)",
        (owner,),
    )
    connection.execute(
        "INSERT INTO document_ledger (document_id, owner, sha256)"
        " SELECT id, owner, encode(sha256(convert_to(title || E'\\n' || body, 'UTF8')), 'hex')"
        " FROM documents WHERE owner = %s"
        " ON CONFLICT (document_id) DO UPDATE SET sha256 = excluded.sha256",
        (owner,),
    )


def _flag(connection: psycopg.Connection, key: str, definition: dict[str, object]) -> int:
    # Only where it is missing: what operations have switched stays switched.
    added = connection.execute(
        "INSERT INTO flags (key, definition) VALUES (%s, %s) ON CONFLICT DO NOTHING", (key, Jsonb(definition))
    )
    return added.rowcount


def _texts(count: int) -> Iterator[tuple[int, str, str]]:
    for number in range(1, count + 1):
        dice = random.Random(number)  # noqa: S311 - sample texts that are the same everywhere
        firm, subject = dice.choice(_FIRMS), dice.choice(_SUBJECTS)
        title = f"{dice.choice(_KINDS)} {number:06d}: {subject} for {firm}"
        yield number, title, " ".join(_sentence(dice, firm) for _ in range(dice.randint(4, 12)))


def _sentence(dice: random.Random, firm: str) -> str:
    first, second = dice.sample(_SUBJECTS, 2)
    verb, place, day = dice.choice(_VERBS), dice.choice(_PLACES), dice.randint(1, 365)
    return f"{firm} {verb} the {first} of {place} and the {second} of day {day}."


def _file(connection: psycopg.Connection, name: str, media_type: str, content: bytes) -> int:
    digest = hashlib.sha256(content).hexdigest()
    added = connection.execute(
        "INSERT INTO files (name, media_type, size, sha256, content, owner) SELECT %s, %s, %s, %s, %s, %s"
        " WHERE NOT EXISTS (SELECT FROM files WHERE owner = %s AND name = %s AND content = %s)",
        (name, media_type, len(content), digest, content, OWNER, OWNER, name, content),
    )
    return added.rowcount


def _samples() -> tuple[tuple[str, str, bytes], ...]:
    letters = "\n".join(body for _, _, body in _texts(50)).encode()
    return (
        ("letters.txt", "text/plain", letters),
        ("pixel.png", "image/png", _png()),
        ("noise.bin", "application/octet-stream", random.Random(0).randbytes(65_536)),  # noqa: S311 - sample bytes
    )


def _png() -> bytes:
    """One grey pixel."""
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\x80")),
        (b"IEND", b""),
    )
    packed = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)
