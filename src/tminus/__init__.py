"""Launch control for production deployments: a checklist that executes itself."""

__version__: str
"""The installed version; looked up when asked for, because reading a package's metadata is slow."""


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version  # noqa: PLC0415 - the slow part

    return version("tminus")
