"""Every error that depot's commands end with on purpose."""


class DepotError(Exception):
    """A deliberate error; the message says what is wrong."""

    code = 1
    """The exit code of the command."""


class SettingsError(DepotError):
    """The environment does not configure depot; the message lists every problem."""

    code = 2


class ReleaseNotFoundError(DepotError):
    """The code does not lie in an image with exactly one release."""

    code = 2


class MigrationError(DepotError):
    """The schema was not changed, or could not be read."""
