"""Standard output and error, whatever stands behind them: another encoding than UTF-8, a full disk, a closed pipe."""

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tminus.errors import PartError

_ESCAPED = "tminus.escaped"


class OutputError(PartError, OSError):
    """Standard output takes no more; an `OSError` too, for who goes on without it."""

    def __init__(self, error: OSError) -> None:
        super().__init__(
            f"standard output takes no more: {error.strerror}",
            hint="what was done before that stands, as `tminus status` shows; do not do it again to see its words",
        )
        self.errno, self.strerror = error.errno, error.strerror

    def __str__(self) -> str:
        """Our words, and not those of an `OSError`."""
        return str(self.args[0])


class Output(io.TextIOWrapper):
    """Standard output that says in words why it takes no more; of a reader that is gone it says what others say."""

    def write(self, text: str, /) -> int:
        """Write it, or raise."""
        with told():
            return super().write(text)

    def flush(self) -> None:
        """Write out what is held back, or raise."""
        with told():
            super().flush()


@contextmanager
def told() -> Iterator[None]:
    """Have a full output told in words; for what writes past `Output`, in bytes."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error) from error


def give_up() -> None:
    """Throw away what is still held back: it would fail once more at the end, in words for programmers."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


def prepare() -> None:
    """Have a sign that a stream's encoding lacks written as JSON writes it, and a full output told in words.

    A stream that is not this process's own, or closed, is left as it is.
    """
    codecs.register_error(_ESCAPED, _escaped)
    if isinstance(sys.stderr, io.TextIOWrapper) and sys.stderr is sys.__stderr__:
        sys.stderr.reconfigure(errors=_ESCAPED)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout is sys.__stdout__:
        out = sys.stdout
        how: dict[str, Any] = {"line_buffering": out.line_buffering, "write_through": out.write_through}
        # ASCII is what a system says that knows of no other; click would open another stream then.
        encoding = "utf-8" if codecs.lookup(out.encoding).name == "ascii" else out.encoding
        sys.stdout = Output(out.buffer, encoding, _ESCAPED, **how)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """A `u` with four hex digits behind a backslash for each UTF-16 unit: JSON stays JSON in any encoding."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2] for at in range(0, len(units), 2))
    return "".join(f"\\u{pair.hex()}" for pair in pairs), error.end
