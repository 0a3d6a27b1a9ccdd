"""What a person types: one small file per group of commands."""

import os


def main() -> None:
    """Run the command line and end the process with its exit code."""
    # No package that happens to lie beside tminus takes part in what a plan means; nor is time lost to look for it.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from tminus.cli.app import run  # noqa: PLC0415 - `import tminus.cli` stays light for whoever reads a docstring

    run()
