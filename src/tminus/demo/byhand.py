"""The way back without tminus: what a person types, and the file beside the record that holds it."""

from pathlib import Path

from tminus.haproxy import by_hand, read_back
from tminus.store import chain


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
        read_back(admin),
        "",
    )
    path = by_hand_file(folder)
    text = "\n".join(lines).encode()
    if not path.is_file() or path.read_bytes() != text:
        chain.write(path, [text])
    return path
