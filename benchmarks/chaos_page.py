"""The page of what was killed: a section for each campaign, so that one of them can be run alone."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "chaos.md"


def put(section: str, text: str, path: Path = PAGE) -> None:
    """Write a section's text in the place of what stood there; a new one comes last."""
    page = path.read_text(encoding="utf-8")
    whole = f"## {section}\n\n{text.strip()}\n"
    found = re.compile(rf"^## {re.escape(section)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if found.search(page):
        page = found.sub(lambda old: whole + ("\n" if old.end() < len(page) else ""), page)
    else:
        page = f"{page.rstrip()}\n\n{whole}"
    path.write_text(page, encoding="utf-8")
