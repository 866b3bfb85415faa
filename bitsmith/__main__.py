"""``python -m bitsmith``: the command line."""

import sys

from bitsmith.flows.cli import main

sys.exit(main())
