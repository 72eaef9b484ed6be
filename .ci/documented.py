"""Run the commands in documents: python .ci/documented.py FILE...

Blocks of `sh` are run line by line in the current folder. A block of `yaml` before "Saved as `NAME`" is saved to that
file. A command that serves pages is stopped after one page has been fetched.
"""

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

BLOCK = re.compile(r"```(sh|yaml)\n(.*?)```(?:\s+Saved as `([\w.]+)`)?", re.DOTALL)
SERVES = {"tensorboard": "http://localhost:6006/data/runs"}  # a list of runs, empty until some are loaded


def steps(document: str) -> Iterator[str]:
    """Yield the shell commands of a document, and save the files that they need."""
    for language, text, name in BLOCK.findall(document):
        if language == "sh":
            yield from text.splitlines()
        elif name:
            Path(name).write_text(text)


def run(line: str) -> None:
    """Run a command, and raise an error if it fails."""
    print(f"+ {line}", flush=True)
    start = time.perf_counter()
    page = SERVES.get(line.partition(" ")[0])
    if page:
        _serve(line, page)
    else:
        subprocess.run(["bash", "-euo", "pipefail", "-c", line], check=True)
    print(f"  ({time.perf_counter() - start:.0f} s)", flush=True)


def _serve(line: str, page: str) -> None:
    server = subprocess.Popen(line.split())
    try:
        for _ in range(60):
            time.sleep(1)
            try:
                with urllib.request.urlopen(page) as answer:
                    shown = json.load(answer)
            except (OSError, ValueError):  # not ready, or another server answers
                continue
            if shown and server.poll() is None:
                return
        raise SystemExit(f"{line}: nothing at {page} after a minute")
    finally:
        server.terminate()


if __name__ == "__main__":
    for path in sys.argv[1:]:
        lines = list(steps(Path(path).read_text()))
        if path == "README.md":
            lines = lines[2:]  # the installation, which is already done
        for line in lines:
            run(line)
