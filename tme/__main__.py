"""`python -m tme` is the command `tme`."""

from tme.cli import main

if __name__ == "__main__":
    main()
