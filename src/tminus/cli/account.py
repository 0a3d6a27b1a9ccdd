"""Whose account a command runs under: the name that an order carries."""

import os
import pwd


def whoever() -> str:
    """The account's name by the system, whatever the environment says; its number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
