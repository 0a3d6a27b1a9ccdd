"""The revisions that every release has."""
