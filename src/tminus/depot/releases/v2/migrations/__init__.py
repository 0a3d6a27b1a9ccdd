"""The revisions that depot 2.0 adds."""
