"""What a person types: one small file per group of commands."""

import gc
import os


def main() -> None:
    """Run the command line and end the process with its exit code."""
    # What a start makes stays: to look through it for garbage, over and over, is a tenth of the time of a start.
    gc.disable()
    # No package that happens to lie beside tminus takes part in what a plan means; nor is time lost to look for it.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from tminus.cli.app import run  # noqa: PLC0415 - `import tminus.cli` stays light for whoever reads a docstring

    run()
