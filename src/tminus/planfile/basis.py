"""What every block of a plan's file is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(pattern=r"\S")]
"""A text that says something: not empty, not only blanks."""
Said = Annotated[str, Field(pattern=r"^$|\S")]
"""The same where the key may be left out; empty is left out."""
Flag = Annotated[bool, Field(strict=True)]
"""`true` or `false`, never a text that says so."""


class Entry(BaseModel):
    """A block or an entry of a plan: no key but its own, and nothing that changes."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        ser_json_inf_nan="constants",
        defer_build=True,  # one build when a plan is read, not one for each class when this file is imported
    )
