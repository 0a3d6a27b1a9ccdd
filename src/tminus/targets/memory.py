"""What the guard of a launch has come to, in a file beside its trace.

Only the guard's own objects are read from it, and only where the same code with the same limits has written them:
anything else is as if the file were not there, and the trace is read from its beginning.
"""

import copyreg
import io
import pickle
from contextlib import suppress
from hashlib import sha256
from importlib import import_module
from inspect import getsource
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from tminus.domain.guard import GuardLimits
from tminus.files import replace

CODE = (
    "tminus.control.watch",
    "tminus.domain.acceptance",
    "tminus.domain.comparison",
    "tminus.domain.cost",
    "tminus.domain.guard",
    "tminus.domain.judgement",
    "tminus.domain.sequential",
    "tminus.domain.storms",
    "tminus.domain.tallying",
    "tminus.domain.traffic",
    "tminus.domain.trigger",
)
"""The modules whose objects are kept; where one of them has changed, the file is not read."""

_OTHERS = {
    ("collections", "Counter"),
    ("collections", "deque"),
    (__name__, "proxied"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
}
"""What their objects are made of."""


class GuardMemory:
    """See `control.ports.Memory`."""

    def __init__(self, file: Path, limits: GuardLimits) -> None:
        self._file = file
        self._limits = limits

    def save(self, state: object) -> None:
        """See `Memory.save`; the next one is tried in a minute, and the trace itself says when the disk is full."""
        kept = io.BytesIO()
        pickler = pickle.Pickler(kept, protocol=5)
        reducers: dict[Any, Any] = {**copyreg.dispatch_table, MappingProxyType: _reduced}
        pickler.dispatch_table = reducers
        pickler.dump(state)
        with suppress(OSError):
            replace(self._file, [self._mark(), kept.getvalue()])

    def load(self) -> object | None:
        """See `Memory.load`."""
        try:
            text = self._file.read_bytes()
        except OSError:
            return None
        mark = self._mark()
        if not text.startswith(mark):
            return None
        try:
            state: object = _Unpickler(io.BytesIO(text[len(mark) :])).load()
        except (pickle.UnpicklingError, EOFError, AttributeError, TypeError, ValueError):
            return None
        return state

    def _mark(self) -> bytes:
        """By which code and limits this is read, as one line."""
        code = "".join(getsource(import_module(name)) for name in CODE)
        return sha256(f"{np.__version__}\n{self._limits!r}\n{code}".encode()).hexdigest().encode() + b"\n"


def proxied(mapping: dict[str, float]) -> MappingProxyType[str, float]:
    """A mapping that nobody changes; Python writes down no such thing by itself."""
    return MappingProxyType(mapping)


def _reduced(mapping: MappingProxyType[str, float]) -> tuple[object, ...]:
    return proxied, (dict(mapping),)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        """A class of the guard; raises `UnpicklingError` for anything else."""
        if module in CODE or (module, name) in _OTHERS:
            found: object = super().find_class(module, name)
            if (module, name) in _OTHERS or (isinstance(found, type) and found.__module__ == module):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a guard")
