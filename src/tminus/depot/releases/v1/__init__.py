"""depot 1.0: documents, search and files."""
