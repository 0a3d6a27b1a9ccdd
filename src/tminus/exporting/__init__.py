"""A plan or a launch handed on: as the team's own checklist, as a printable page, as one JSON object."""
