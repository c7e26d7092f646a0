"""``python -m tensorvar``: see ``tensorvar.cli``."""

import sys

from tensorvar import cli

if __name__ == '__main__':
    sys.exit(cli.main())
