"""`python -m tests.torture`: generate the shop in both styles and torture each.

With `--project DIR` it tortures that project instead, and has to be run with its Python.
"""

import sys

if __name__ == "__main__":
    if any(argument.startswith("--project") for argument in sys.argv):
        from tests.torture.run import main
    else:
        from tests.torture.campaign import main
    sys.exit(main())
