"""python -m oneproxy: the command line."""

import sys

from oneproxy._program import main

sys.exit(main())
