"""Markdown's inline markup taken off a line, so that what stays is what a person reads aloud."""

import html
import re

from tminus.checklist.source import readable
from tminus.checklist.writing import unlinked

_MARKED = re.compile(r"[*_`\[\]<&\\~\udc80-\udcff]")
_CODE = re.compile(r"(?<!`)(`++)(.+?)(?<!`)\1(?!`)")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_COMMENT = re.compile(r"<!--.*?(?:-->|$)")
_IMAGE = re.compile(r"!\[([^\[\]]*)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)")
_LINK = re.compile(
    r"\[((?:[^\[\]]|\[[^\[\]]*\])+)\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)?(?:\s+\"[^\"]*\")?\)|\[[^\[\]]*\])"
)
_AUTOLINK = re.compile(r"<((?:https?|mailto|ftp):[^<>\s]+|[^<>\s@]+@[^<>\s@]+)>")
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|br|center|code|del|details|div|em|font|hr|i|img|input|ins|kbd|li|mark|ol|p|q|s|small"
    r"|span|strike|strong|sub|summary|sup|table|td|th|tr|tt|u|ul)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"(\*{1,3})(?=[^\s*])([^*]*[^\s*])\1|(?<![\w_])(_{1,3})(?=[^\s_])([^_]*[^\s_])\3(?![\w_])|~~(.+?)~~"
)
_BLANKS = re.compile(r"\s+")
_PICTURES = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a\u231b\u23e9-\u23fa\ufe0e\ufe0f\u200d\u20e3\u2139\u3030]+"
)
_LONGEST = 2000
_HIDDEN = "\ue000"
"""Stands for a piece of code or an escaped sign while the markup around it is taken off."""


def plain(text: str) -> str:
    """One line of text without markup and evidence links; what is longer than any sentence is cut."""
    text = unlinked(text)[:_LONGEST]
    if _MARKED.search(text):
        text = _unmarked(text)
    return _BLANKS.sub(" ", text).strip()


def titled(text: str) -> str:
    """A heading's words: without markup and without pictures."""
    return _BLANKS.sub(" ", _PICTURES.sub(" ", plain(text))).strip(" :-\u2013\u2014") if text else ""


def wordless(text: str) -> str:
    """Text without pictures at its ends."""
    return _PICTURES.sub(" ", text).strip()


def _unmarked(text: str) -> str:
    kept: list[str] = []

    def hide(piece: str) -> str:
        kept.append(piece)
        return _HIDDEN

    text = readable(text).replace(_HIDDEN, "")
    if "`" in text:
        text = _CODE.sub(lambda match: hide(match.group(2).strip()), text)
    if "\\" in text:
        text = _ESCAPE.sub(lambda match: hide(match.group(1)), text)
    text = _shown(text)
    if kept:
        pieces = iter(kept)
        text = re.sub(_HIDDEN, lambda _: next(pieces), text)
    return text


def _shown(text: str) -> str:
    if "<" in text:
        text = _TAG.sub(" ", _AUTOLINK.sub(r"\1", _COMMENT.sub("", text)))
    if "](" in text or "][" in text:
        text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    for _ in range(3):
        stripped = _STRONG.sub(lambda match: match.group(2) or match.group(4) or match.group(5) or "", text)
        if stripped == text:
            break
        text = stripped
    return html.unescape(text) if "&" in text else text
