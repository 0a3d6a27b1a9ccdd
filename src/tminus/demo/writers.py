"""Users of a drill who store documents and look for them afterwards: what they were told is stored must be there."""

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, field

from tminus.errors import ProbeError
from tminus.http import Http, connect
from tminus.postgres import connect as connect_database

PAUSE_SECONDS = 0.5
"""Between two documents of one writer."""
ANSWER_SECONDS = 5.0
"""Longer than the slowest answer of a drill; after it a document counts as not stored."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who writes, and where."""

    public: str
    """The service's address for users."""
    database: str = field(repr=False)
    """Where the documents are looked for, beside the service; it holds a password."""
    user: str
    password: str = field(repr=False)


class Documents:
    """See `control.drills.Writers`; every document has a text of its own."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._stored: dict[int, tuple[str, str]] = {}
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """See `Writers.begin`."""
        self._stored = {}
        self._task = asyncio.create_task(self._write())

    async def end(self) -> None:
        """See `Writers.end`; of a document under way nobody was told that it is stored."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.result()

    async def look(self) -> tuple[int, tuple[str, ...]]:
        """See `Writers.look`."""
        async with connect_database(self._account.database) as connection:
            cursor = await connection.execute(
                "SELECT id, title, body FROM documents WHERE id = ANY(%s)", (list(self._stored),)
            )
            found = {int(number): (str(title), str(body)) for number, title, body in await cursor.fetchall()}
        lost = (title for number, (title, body) in self._stored.items() if found.get(number) != (title, body))
        return len(self._stored), tuple(lost)

    async def _write(self) -> None:
        token = ""
        async with connect(self._account.public, seconds=ANSWER_SECONDS) as http:
            while True:
                # A request that fails is what users meet in a drill: nobody told them that it is stored.
                with suppress(ProbeError):
                    token = token or await self._log_in(http)
                    token = await self._store(http, token)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _log_in(self, http: Http) -> str:
        who = {"user": self._account.user, "password": self._account.password}
        answer = await http.ask("POST", "/login", json_body=who)
        body = answer.json() if answer.status == 200 else {}
        return str(body.get("token") or "")

    async def _store(self, http: Http, token: str) -> str:
        """Store one more; the token, or nothing where it has run out."""
        title, body = f"Drill {secrets.token_hex(6)}", f"To be found again: {secrets.token_hex(16)}"
        headers = {"Authorization": f"Bearer {token}", "X-Client": "drill"}
        answer = await http.ask(
            "POST", "/documents", headers=headers, json_body={"title": title, "body": body}
        )
        if answer.status == 201:
            self._stored[int(answer.json()["id"])] = (title, body)
        return "" if answer.status == 401 else token
