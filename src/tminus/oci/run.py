"""How an unpacked image is run as a plain process on this machine.

There is no container here: the image's paths are mapped to the folder it was unpacked into, and its `python` is the
interpreter that runs tminus, whose installed packages it shares.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tminus.oci.verifying import Image

_FROM_OURS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command with its whole environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str]


def invocation(
    image: Image, root: Path, arguments: tuple[str, ...], settings: Mapping[str, str]
) -> Invocation:
    """The command that runs an image with these arguments and settings; nothing else of our environment leaks in.

    `settings` win over what the image sets, as with any container runner.
    """
    program, *rest = image.entrypoint
    argv = (sys.executable if program == "python" else program, *rest, *arguments)
    own = {name: os.environ[name] for name in _FROM_OURS if name in os.environ}
    image_env = {name: _mapped(name, value, root) for name, value in image.env.items()}
    return Invocation(argv, {**own, **image_env, **settings})


def _mapped(name: str, value: str, root: Path) -> str:
    if not name.endswith("PATH"):
        return value
    return os.pathsep.join(
        str(root) + part if part.startswith("/") else part for part in value.split(os.pathsep)
    )
