"""Launch control for production deployments: a checklist that executes itself."""

from importlib.metadata import version

__version__ = version("tminus")
