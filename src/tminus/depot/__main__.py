"""`python -m depot`: the commands of the release that this image holds."""

import sys

from .commands import main

sys.exit(main(sys.argv[1:]))
