"""What the opening of a launch says of the way back by hand."""

from dataclasses import replace
from typing import TYPE_CHECKING

from tminus.control.opening import Binding, opening

if TYPE_CHECKING:
    from tests.unit.launch_world import NEW, OLD, PLAN
else:
    from launch_world import NEW, OLD, PLAN

BINDING = Binding("depot-7", {"depot": NEW}, {"depot": OLD}, 0.0, 1.0, ("send all to blue",), asks=False)


def test_the_file_of_the_commands_is_named_where_there_is_one() -> None:
    kept = opening(PLAN, replace(BINDING, by_hand_file="/launches/depot-7/rollback.txt"))
    assert kept["by_hand_file"] == "/launches/depot-7/rollback.txt"
    assert kept["by_hand"] == ["send all to blue"]
    assert "by_hand_file" not in opening(PLAN, BINDING)
