"""Proxies of the nine frontends of the study and of the first designs of `drawn`, with the time of each.

All networks get the same batches of the synthetic task `events`, and their input is calibrated on them. The first table
has the values and the total time, the second the seconds of each proxy, the third the rank correlation (Spearman) of
each pair of proxies over all networks for which both are finite. `nngp` joins the features of all seeds.

    python benchmarks/proxies.py                          # two batches of 64 clips of 4 s
    python benchmarks/proxies.py --n_clips 16 --seeds 3   # smaller batches, mean over three seeds
    python benchmarks/proxies.py --designs 0              # only the nine frontends
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr
from untrained import FRONTENDS, PROXIES, Frontend
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.calibrated import can_be_calibrated
from untrained.frontends.drawn_set import drawn_set
from untrained.proxies.batches import draw_batches
from untrained.proxies.nngp import nngp_score
from untrained.proxies.scoring import Score, averaged, score

NINE = (
    *("sample_level", "frame_level", "frame_level_many", "vgg", "timbral"),
    *("temporal", "timbral_temporal", "vertical_7x86", "vertical_7x96"),
)


def main() -> None:
    """Compute all proxies and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n_clips", type=int, default=64, help="clips in a batch")
    parser.add_argument("--n_samples", type=int, default=48_000, help="length of the clips at 12 kHz")
    parser.add_argument("--designs", type=int, default=16, help="designs of the set of `drawn`")
    parser.add_argument("--seeds", type=int, default=1, help="number of seeds to average over")
    parser.add_argument("--device", default="cpu", help="device that computes")
    options = parser.parse_args()
    per_class = -(-2 * options.n_clips // 8 * 5 // 3) + 1  # three fifths are training clips
    data = Synthetic("events", clips_per_class=per_class, n_samples=options.n_samples)
    batches, names = draw_batches(data, 12_000, options.n_clips)
    parts = [waveforms[start : start + 8] for waveforms, _ in batches for start in range(0, len(waveforms), 8)]
    proxies = [PROXIES.create(name) for name in PROXIES.names()]
    score(FRONTENDS.create("sample_level"), batches, proxies)  # the first call imports and allocates
    found: dict[str, list[Score]] = {}
    for name, arguments in networks(options.designs):
        started, of_seeds, frontends = time.perf_counter(), [], []
        for seed in range(options.seeds):
            frontend: Frontend = FRONTENDS.create(arguments[0], **arguments[1], seed=seed)
            if can_be_calibrated(frontend):
                frontend.calibrate(parts)
            frontends.append(frontend.to(options.device))
            of_seeds.append(score(frontend, batches, proxies, n_classes=len(names)))
        found[name] = [*averaged(of_seeds), nngp_score(frontends, batches, len(names))]
        print(f"{name}: {time.perf_counter() - started:.1f} s", flush=True)
    columns = [each.proxy for each in next(iter(found.values()))]
    print(f"\nvalues, {len(batches)} batches of {len(batches[0][0])} clips of {options.n_samples:,} samples")
    show(["network", *columns], [[name, *(f"{each.value:.5g}" for each in row)] for name, row in found.items()])
    print("\nseconds")
    show(["network", *columns], [[name, *(f"{each.seconds:.2f}" for each in row)] for name, row in found.items()])
    print(f"\nrank correlation over {len(found)} networks")
    values = np.array([[each.value for each in row] for row in found.values()])
    matrix = correlations(values)
    show(["", *columns], [[name, *(f"{x:.2f}" for x in row)] for name, row in zip(columns, matrix, strict=True)])
    for row in found.values():
        for each in row:
            if each.reason:
                print(each.reason)


def networks(n_designs: int) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    """Yield the name of each network, and its frontend with its arguments."""
    yield from ((name, (name, {})) for name in NINE)
    for each in drawn_set(n_designs) if n_designs else []:
        yield f"{each.family} {each.design}, {each.n_parameters:,}", ("drawn", each.arguments)


def correlations(values: np.ndarray) -> np.ndarray:
    """Return the rank correlation of each pair of columns over the rows in which both are finite."""
    n = values.shape[1]
    found = np.eye(n)
    for i, j in zip(*np.triu_indices(n, 1), strict=True):
        both = values[np.isfinite(values[:, [i, j]]).all(axis=1)][:, [i, j]]
        found[i, j] = found[j, i] = spearmanr(both[:, 0], both[:, 1]).statistic if len(both) > 2 else np.nan
    return found


def show(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in [header, *rows]:
        print(
            "  ".join(
                cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
        )


if __name__ == "__main__":
    main()
