"""`python -m imcevo`: the command line."""

import sys

from imcevo.cli import main

if __name__ == "__main__":
    sys.exit(main())
