"""`python -m lic` is the command `lic`."""

from lic.cli import main

main()
