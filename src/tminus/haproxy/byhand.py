"""What a person types to send all traffic to blue where tminus cannot: Python and the proxy's admin socket, no more."""

import sys
from pathlib import Path

_CONNECT = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('{admin}')"
_TO_BLUE = "s.send(b'set server app/blue weight 100; set server app/green weight 0\\n')"
_READ_BACK = (
    "s.send(b'show stat\\n'); rows = [row.split(',') for row in s.makefile().read().splitlines()]; "
    "print([(row[1], row[18], row[17]) for row in rows if row[0] == 'app'])"
)


def by_hand(admin: Path) -> tuple[str, ...]:
    """What sends all traffic to blue through the proxy's admin socket."""
    return (_command(admin, _TO_BLUE),)


def read_back(admin: Path) -> str:
    """What shows each server's weight and state then."""
    return _command(admin, _READ_BACK)


def _command(admin: Path, act: str) -> str:
    return f'{sys.executable} -c "{_CONNECT.format(admin=admin)}; {act}"'
