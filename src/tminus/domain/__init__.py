"""What things are: frozen dataclasses and pure decisions; no I/O, no clock."""
