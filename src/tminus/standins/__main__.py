"""`python -m tminus.standins`: the stand-ins until they are told to end."""

import asyncio
import sys

from .server import main

sys.exit(asyncio.run(main(sys.argv[1:])))
