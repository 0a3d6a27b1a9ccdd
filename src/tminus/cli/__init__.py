"""What a person types: one small file per group of commands."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    from tminus.cli.app import run  # noqa: PLC0415 - `import tminus.cli` stays light for whoever reads a docstring

    run()
