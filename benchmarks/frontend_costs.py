"""Cost of each frontend at both sizes of the study: features, parameters, FLOP, time and memory for one clip.

Every frontend runs in its own process, on one clip of 350,000 samples (29.2 s) at a time. The time is that of the
fastest of several runs. It depends on the machine, so the column `x vgg` divides it by the time of the small `vgg`.
Peak memory is that of the whole process, including PyTorch.

    python benchmarks/frontend_costs.py                    # prints the table
    python benchmarks/frontend_costs.py docs/reference/frontends.md  # also writes it into the document
"""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from untrained import FRONTENDS

N_SAMPLES = 350_000
BEGIN, END = "<!-- begin: benchmarks/frontend_costs.py -->", "<!-- end -->"
COLUMNS = ("frontend", "size", "features", "parameters", "GFLOP", "s per clip", "x vgg", "peak GiB")


def main() -> None:
    """Measure all frontends, print the table, and write it into a document if one is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("document", nargs="?", type=Path, help="document to write the table into")
    document = parser.parse_args().document
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        lines = table({(name, size): pool.submit(measure, name, size).result() for name, size in cases()})
    print("\n".join(lines))
    if document:
        document.write_text(place(document.read_text("utf-8"), lines), "utf-8")


def cases() -> list[tuple[str, str]]:
    """Return the name and size of each bundled frontend; the size is empty if a frontend has no sizes.

    The frontend `drawn` is left out, because its arguments choose its cost. No frontend is imported, since on Linux the
    peak memory of a process includes that of its parent.
    """
    ours = [plugin for plugin in FRONTENDS.plugins if plugin.is_ours and "imports" not in plugin.constants()]
    ours = [plugin for plugin in ours if plugin.name != "drawn"]
    return [(plugin.name, size) for plugin in ours for size in plugin.constants().get("sizes", [""])]


def measure(name: str, size: str) -> dict[str, float]:
    """Return the cost of one frontend. Call this in a process of its own."""
    import resource  # not available on every system

    import torch

    frontend = FRONTENDS.create(name, **({"size": size} if size else {}))
    description = frontend.describe(N_SAMPLES)
    waveform = torch.randn(1, N_SAMPLES, generator=torch.Generator().manual_seed(0))
    seconds = []
    with torch.inference_mode():
        while len(seconds) < 3 or (sum(seconds) < 2 and len(seconds) < 20):
            start = time.perf_counter()
            frontend(waveform)
            seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "features": description.embedding_size,
        "parameters": description.n_parameters,
        "flop": description.flop,
        "seconds": min(seconds),
        "peak": peak,
    }


def table(measured: dict[tuple[str, str], dict[str, float]]) -> list[str]:
    """Return the table as lines of Markdown."""
    unit = measured["vgg", "small"]["seconds"]
    lines = [f"| {' | '.join(COLUMNS)} |", f"|---|---|{'---:|' * (len(COLUMNS) - 2)}"]
    for (name, size), costs in measured.items():
        numbers = (
            f"{costs['features']:,}",
            f"{costs['parameters']:,}",
            f"{costs['flop'] / 1e9:.3f}",
            f"{costs['seconds']:.3f}",
            f"{costs['seconds'] / unit:.2f}",
            f"{costs['peak'] / 2**30:.2f}",
        )
        lines.append(f"| `{name}` | {size} | {' | '.join(numbers)} |")
    return lines


def place(document: str, lines: list[str]) -> str:
    """Return a document with the table between its markers replaced."""
    before, rest = document.split(BEGIN)
    _, after = rest.split(END, 1)
    return "\n".join([f"{before}{BEGIN}", "", *lines, "", f"{END}{after}"])


if __name__ == "__main__":
    main()
