"""The way back without tminus: what a person types, and the file beside the record that holds it."""

import sys
from pathlib import Path

from tminus.store import chain

_CONNECT = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('{admin}')"
_TO_BLUE = "s.send(b'set server app/blue weight 100; set server app/green weight 0\\n')"
_READ_BACK = (
    "s.send(b'show stat\\n'); rows = [row.split(',') for row in s.makefile().read().splitlines()]; "
    "print([(row[1], row[18], row[17]) for row in rows if row[0] == 'app'])"
)


def by_hand(admin: Path) -> tuple[str, ...]:
    """What sends all traffic to blue through the proxy's admin socket, with nothing but Python."""
    return (_command(admin, _TO_BLUE),)


def by_hand_file(folder: Path) -> Path:
    """Where a launch keeps these commands: in its own folder, beside the record."""
    return folder / "rollback.txt"


def write_by_hand(folder: Path, launch: str, admin: Path) -> Path:
    """Write the commands of a launch, and how to read back what they did.

    What stands there already, from before the launch was taken over, is not written again. Raises `PartError` where
    it cannot be written.
    """
    lines = (
        f"To send all traffic of launch {launch} to blue, without tminus, while its stage stands:",
        "",
        *by_hand(admin),
        "",
        "Then read it back; blue must show 100 and UP, green 0:",
        "",
        _command(admin, _READ_BACK),
        "",
    )
    path = by_hand_file(folder)
    text = "\n".join(lines).encode()
    if not path.is_file() or path.read_bytes() != text:
        chain.write(path, [text])
    return path


def _command(admin: Path, act: str) -> str:
    return f'{sys.executable} -c "{_CONNECT.format(admin=admin)}; {act}"'
