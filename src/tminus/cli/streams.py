"""Standard output and error, whatever stands behind them: another encoding than UTF-8, a full disk, a closed pipe."""

import codecs
import io
import os
import sys
from typing import Any

from tminus.errors import PartError

_ESCAPED = "tminus.escaped"


class Output(io.TextIOWrapper):
    """Standard output; where it takes no more, `PartError` says so at each write, and once more at a `flush`."""

    _lost: Exception | None = None
    """Why it takes no more. Kept, since who looks whether it takes text swallows what that raises."""

    def write(self, text: str, /) -> int:
        """Write it, or raise."""
        if self._lost:
            raise self._lost
        try:
            return super().write(text)
        except OSError as error:
            raise self._give_up(error) from error

    def flush(self) -> None:
        """Write out what is held back, or raise; once it has raised there is nothing more to tell."""
        lost, self._lost = self._lost, None
        if lost:
            raise lost
        try:
            super().flush()
        except OSError as error:
            raise self._give_up(error) from error

    def _give_up(self, error: OSError) -> Exception:
        # What is still held back is thrown away: it would fail once more at the end, in words for programmers.
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self.fileno())
        os.close(nothing)
        self._lost = (
            error  # whoever read it has seen enough, and is told nothing
            if isinstance(error, BrokenPipeError)
            else PartError(
                f"standard output takes no more: {error.strerror}",
                hint="what was done before that stands, as `tminus status` shows; do not do it again to see its words",
            )
        )
        return self._lost


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
        sys.stdout = Output(out.buffer, out.encoding, _ESCAPED, **how)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""`\uXXXX` for each UTF-16 unit, so that JSON stays JSON in any encoding."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2] for at in range(0, len(units), 2))
    return "".join(f"\\u{pair.hex()}" for pair in pairs), error.end
