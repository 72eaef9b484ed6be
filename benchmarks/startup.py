"""How long commands take before they do anything, over a bare start of Python: python benchmarks/startup.py.

Medians of several runs that take turns, each in a process of its own.
"""

import statistics
import subprocess
import sys
import time

RUNS = 7
BARE = "python -c pass"
UNTRAINED = [sys.executable, "-m", "untrained"]
COMMANDS = {
    BARE: [sys.executable, "-c", "pass"],
    "import untrained": [sys.executable, "-c", "import untrained"],
    "untrained --help": [*UNTRAINED, "--help"],
    "untrained --version": [*UNTRAINED, "--version"],
    "untrained list": [*UNTRAINED, "list"],
    "untrained config": [*UNTRAINED, "config"],
    "import torch": [sys.executable, "-c", "import torch"],
    "untrained fit --help": [*UNTRAINED, "fit", "--help"],
}


def seconds(command: list[str]) -> float:
    """Of one run of a command."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    for command in COMMANDS.values():  # from disk
        seconds(command)
    turns = [{name: seconds(command) for name, command in COMMANDS.items()} for _ in range(RUNS)]
    medians = {name: statistics.median(turn[name] for turn in turns) for name in COMMANDS}
    for name, median in medians.items():
        print(f"{name:<22} {1000 * median:7.0f} ms  {median / medians[BARE]:6.1f} x")
