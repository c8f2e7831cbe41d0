"""`python -m edgewright` is the command `edgewright`."""

import sys

from edgewright.cli import main

sys.exit(main())
