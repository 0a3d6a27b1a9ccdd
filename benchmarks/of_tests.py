"""Makes the worlds of the tests importable: a benchmark measures in the one that a test shows to be right."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"

sys.path += [str(TESTS), str(TESTS / "integration")]
