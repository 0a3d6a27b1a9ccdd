"""Vault, and OpenBao: what it says of itself and of what stands in it, and whether a snapshot of it is whole."""

from .api import Automatic, Engine, Health, Lease, Metadata, Vault, Version, asking, is_path

__all__ = ["Automatic", "Engine", "Health", "Lease", "Metadata", "Vault", "Version", "asking", "is_path"]
