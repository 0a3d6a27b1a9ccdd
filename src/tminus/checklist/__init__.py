"""Checklists in Markdown: read with the place of every byte that matters, and written back changed only there."""

from tminus.checklist.model import Checklist, Form
from tminus.checklist.reading import read
from tminus.checklist.source import MAX_BYTES, load

__all__ = ["MAX_BYTES", "Checklist", "Form", "load", "read"]
