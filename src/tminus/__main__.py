"""`python -m tminus`: the same as the `tminus` command."""

from tminus.cli import main

main()
