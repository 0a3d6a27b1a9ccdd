"""depot 2.0: documents carry labels, and search can be narrowed to one."""
