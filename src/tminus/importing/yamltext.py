"""Plain data as YAML text that people edit: block style, comments where they help, quotes only where needed.

Written by hand because a round-trip writer takes a hundred times as long for ten thousand lines; what it writes is
read back by the same library that reads every plan (held by a property test).
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Comments = Mapping[str, tuple[str, ...]]
"""By entry id or block name: lines to stand above it."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./()+'&%=-]*(?: [A-Za-z0-9_./()+'%<>=][A-Za-z0-9_./()+'&%<>=-]*)*")
_MEASURED = re.compile(r"\d+(?:\.\d+)? ?(?:ms|s|min|h|d|%)")
_IN_FLOW = re.compile(r"[\w.+%-]+(?: [\w.+%-]+)*", re.ASCII)
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_FLOW_WIDTH = 100


def emitted(data: Mapping[str, Any], comments: Comments) -> str:
    """The whole text, ending with a line end."""
    lines: list[str] = []
    for key, value in data.items():
        if lines and isinstance(value, dict | list):
            lines.append("")
        lines += [f"# {comment}" if comment else "#" for comment in comments.get(key, ())]
        lines += keyed(key, value, "", comments)
    return "\n".join(lines) + "\n"


def scalar(value: object) -> str:
    """One value on one line, in quotes only where YAML would read it as something else."""
    if not isinstance(value, str):
        return json.dumps(value)
    plain = len(value) <= 200 and (_PLAIN.fullmatch(value) or _MEASURED.fullmatch(value))
    if plain and value.lower() not in _WORDS:
        return value
    return _UNPRINTABLE.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    return "\\ufffd" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"


def keyed(key: str, value: Any, indent: str, comments: Comments) -> Iterator[str]:
    """One key of a mapping behind this indent."""
    name = f"{indent}{scalar(key)}:"
    if isinstance(value, dict) and value:
        flow = _flow(value)
        if flow and len(name) + len(flow) < _FLOW_WIDTH:
            yield f"{name} {flow}"
            return
        yield name
        for inner, content in value.items():
            yield from keyed(str(inner), content, f"{indent}  ", comments)
    elif isinstance(value, list) and value:
        yield from _list(name, value, indent, comments)
    else:
        yield f"{name} {_empty(value) or scalar(value)}"


def _list(name: str, values: list[Any], indent: str, comments: Comments) -> Iterator[str]:
    if not any(isinstance(value, dict) for value in values):
        flow = in_row(values)
        if len(name) + len(flow) < _FLOW_WIDTH:
            yield f"{name} {flow}"
            return
    yield name
    for value in values:
        yield from listed(value, f"{indent}  ", comments)


def listed(value: Any, indent: str, comments: Comments) -> Iterator[str]:
    """One entry of a list, its dash behind this indent, with its comments above it."""
    if not isinstance(value, dict):
        yield f"{indent}- {scalar(value)}"
        return
    yield from (f"{indent}# {comment}" for comment in comments.get(str(value.get("id", "")), ()))
    inner = [line for key, content in value.items() for line in keyed(key, content, f"{indent}  ", comments)]
    yield f"{indent}- {inner[0].lstrip()}"
    yield from inner[1:]


def in_row(values: list[Any]) -> str:
    """A list of plain values on one line."""
    return f"[{', '.join(_in_flow(value) for value in values)}]"


def _flow(value: Mapping[str, Any]) -> str:
    """A small mapping of plain values on one line; empty when it holds more than that."""
    if any(isinstance(content, dict | list) for content in value.values()):
        return ""
    return f"{{{', '.join(f'{_in_flow(str(key))}: {_in_flow(content)}' for key, content in value.items())}}}"


def _in_flow(value: object) -> str:
    """Within brackets a comma, a brace or a colon would end the value, so anything but words is quoted."""
    text = scalar(value)
    if isinstance(value, str) and not text.startswith('"') and not _IN_FLOW.fullmatch(text):
        return json.dumps(value, ensure_ascii=False)
    return text


def _empty(value: Any) -> str:
    if isinstance(value, dict):
        return "{}"
    return "[]" if isinstance(value, list) else ""
