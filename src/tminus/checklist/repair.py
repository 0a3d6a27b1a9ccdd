"""Text that was decoded wrongly once: UTF-8 that somebody's tool took for Windows-1252 and saved again.

A line is repaired as a whole or not at all. It is repaired only if every letter outside ASCII takes part in the
mistake, so a line that merely quotes such text stays, and only if no healthy reading of it is likely: `IRMÃ…` or
`CAFÉ™` are words with an ellipsis and a mark behind them. ftfy repairs both of these, and pieces of healthy lines.
"""

import re

_UNDEFINED = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
"""Bytes that Windows-1252 leaves out; tools map them to the control characters of the same number."""
_HIGH = {
    number: bytes([number]).decode("latin-1" if number in _UNDEFINED else "cp1252")
    for number in range(0x80, 0x100)
}
_BYTES = {ord(character): number for number, character in _HIGH.items()}
_CHARACTERS = {number: ord(character) for number, character in _HIGH.items()}


def _members(first: int, last: int) -> str:
    return "".join(re.escape(_HIGH[number]) for number in range(first, last + 1))


_SUSPECT = re.compile(f"[{_members(0xC2, 0xF4)}][{_members(0x80, 0xBF)}]")
_BEHIND_A_WORD = "\u2026\u201d\u2019\u201c\u2018\u00bb\u2122\u00ae\u2013\u2014\u2022\u00b7"
_END_OF_A_WORD = re.compile(
    rf"[A-Z\u00c0-\u00de][\u00c2-\u00c5](?:[{_BEHIND_A_WORD}](?![A-Za-z])|\u00a0(?![a-z]))"
)
"""A word in capitals that ends in Â, Ã, Ä or Å, and what may stand behind any word."""
_TYPICAL = re.compile(
    r"[\u00a1-\u00ff\u0100-\u017f\u2010-\u2bff\ufe0f\ufeff\U0001f000-\U0001faff]"  # letters of the West, signs, emoji
    r"|[\u0370-\u03ff]{2}|[\u0400-\u04ff]{2}|[\u0590-\u05ff]{2}|[\u0600-\u06ff]{2}|[\u0e00-\u0e7f]{2}"
    r"|[\u3040-\u9fff\uac00-\ud7af\uff00-\uffef]{2}"
)
"""What people write in checklists; a lone letter of a distant script is an accident of healthy bytes."""
_LAYERS = 3


def suspicious(text: str) -> bool:
    """Whether some of the text may have been decoded wrongly."""
    return not text.isascii() and _SUSPECT.search(text) is not None


def repaired(line: str) -> tuple[str, int]:
    """The line as it was meant, and how many wrong decodings that took back; 0 for a healthy line."""
    for layers in range(_LAYERS):
        meant = _once(line)
        if meant is None:
            return line, layers
        line = meant
    return line, _LAYERS


def broken(line: str, layers: int) -> str:
    """The line as it stands in the file: what `repaired` took back, done again."""
    for _ in range(layers):
        line = line.encode().decode("latin-1").translate(_CHARACTERS)
    return line


def _once(line: str) -> str | None:
    if _SUSPECT.search(line) is None:
        return None
    try:
        meant = line.translate(_BYTES).encode("latin-1").decode()
    except UnicodeError:
        return None
    if _END_OF_A_WORD.search(line) and not _SUSPECT.search(_END_OF_A_WORD.sub("", line)):
        return None
    return meant if _TYPICAL.search(meant) and broken(meant, 1) == line else None
