"""`python -m frontdesk`."""

from frontdesk.config.cli import main

main()
