r"""What of depot's data can be proved from outside, and the canaries: documents whose text everybody knows.

`depot seed` plants the canaries and the archive, and nothing in depot changes or removes them, so three things must
hold at any moment. They are meant for a watcher with its own connection; depot itself never repairs anything, since
that would hide the damage. A serving depot does not plant canaries either: only a person or a launch seeds.

Row counts. Of `documents`, the owners `archive` and `canary` together have exactly as many rows as were seeded, and
`canary` has `COUNT` of them. The floor is the count read before the launch:

    SELECT count(*) FROM documents WHERE owner IN ('archive', 'canary')

Orphans. Each row of `document_ledger` (document_id, owner, sha256) names a document that exists; both are written
and removed in one transaction. There is no foreign key, because the ledger must not vanish with its document. This
must be 0:

    SELECT count(*) FROM document_ledger l WHERE NOT EXISTS (SELECT FROM documents d WHERE d.id = l.document_id)

Checksums. A ledger row holds the SHA-256 of title, line feed, body in UTF-8 as they were stored (documents are never
edited). This must be 0:

    SELECT count(*) FROM document_ledger l JOIN documents d ON d.id = l.document_id
    WHERE l.sha256 <> encode(sha256(convert_to(d.title || E'\n' || d.body, 'UTF8')), 'hex')

Canaries need no ledger, which could be damaged too: their texts are fixed, so one digest over all of them, `DIGEST`,
is known in advance (NULL when all are gone):

    SELECT encode(sha256(convert_to(string_agg(title || E'\n' || body, E'\n' ORDER BY title), 'UTF8')), 'hex')
    FROM documents WHERE owner = 'canary'

Likewise `files`: `sha256` is that of `content`, and `size` its length.
"""

import hashlib
from collections.abc import Iterator

OWNER = "canary"
"""Owns the canaries; nobody can log in under this name."""
COUNT = 20


def texts() -> Iterator[tuple[int, str, str]]:
    """Number, title and body of each canary."""
    for number in range(1, COUNT + 1):
        song = hashlib.sha256(f"depot canary {number}".encode()).hexdigest()
        yield number, f"Canary {number:02d}", f"This text never changes: {song}"


def sha256(title: str, body: str) -> str:
    """The checksum of one document as the ledger holds it."""
    return hashlib.sha256(f"{title}\n{body}".encode()).hexdigest()


DIGEST = hashlib.sha256("\n".join(f"{title}\n{body}" for _, title, body in texts()).encode()).hexdigest()
"""The checksum of all canaries together, in the order of their titles."""
