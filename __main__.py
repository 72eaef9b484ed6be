"""The entry point of the console script and of `python -m untrained`."""

import os
import sys

from . import terminal


def script() -> None:
    """Run the command line of this process."""
    terminal.delay_interrupts()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed, for example by `>&-`
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    from .cli import main

    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # for example in `untrained list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    terminal.ignore_interrupts()
    sys.exit(status)


if __name__ == "__main__":
    script()
