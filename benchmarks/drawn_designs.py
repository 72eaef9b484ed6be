"""Table and contract checks of a set of drawn designs: python benchmarks/drawn_designs.py [--n N] [--check] [--train].

The table has a row for each design of `drawn_set`: number of layers, parameters (actual number), features, GFLOP for a
clip of 8 s and of 2 s, megabytes of the outputs of all convolutions for a clip of 8 s, receptive field and total stride
(samples of a waveform, or frames) and the bands of the receptive field. Below it are the absolute rank correlation
(Spearman) of the numbers of parameters and layers, and the designs that take more than 0.1 GFLOP for a clip of 2 s.

With `--check`, each design is put through `untrained.testing.check_frontend`. With `--train`, the table has the seconds
of a training step (forward and backward) with 16 clips of 2 s, the minimum of three.
"""

import argparse
import time
from collections.abc import Sequence

import torch
from untrained.errors import UntrainedError
from untrained.frontends import drawn_set
from untrained.frontends.drawn_set import DrawnDesign, depth_correlation, unfilled
from untrained.frontends.trainable import trainable
from untrained.testing import check_frontend

SHORT = 24_000  # samples, 2 s
CHEAP = 1e8  # FLOP
TITLES = (
    "family            design  layers  parameters  features  GFLOP 8 s  GFLOP 2 s     MB  receptive  bands  stride"
    "  norm   activation"
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Table and contract checks of a set of drawn designs.")
    parser.add_argument("--n", type=int, default=160, help="number of designs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the set (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="put each design through the contract checks")
    parser.add_argument("--train", action="store_true", help="measure a training step of each design")
    arguments = parser.parse_args()
    designs = drawn_set(arguments.n, arguments.seed)
    print(TITLES + ("  s per step" if arguments.train else ""))
    for each in designs:
        print(row(each) + (f"  {step(each):>10.3f}" if arguments.train else ""), flush=True)
    summarise(designs, arguments.n, arguments.seed)
    if arguments.check:
        check(designs)


def row(each: DrawnDesign) -> str:
    """Return a line of the table."""
    found, design = each.columns(), each.plan.design
    return (
        f"{each.family:<16}  {each.design:>6}  {found['depth']:>6}  {found['n_parameters']:>10,}"
        f"  {found['n_features']:>8,}  {found['flop'] / 1e9:>9.3f}  {each.columns(SHORT)['flop'] / 1e9:>9.3f}"
        f"  {found['activation_bytes'] / 1e6:>5.1f}  {found['receptive_field']:>9,}  {found['receptive_bands']:>5}"
        f"  {found['total_stride']:>6,}  {design.norm:<5}  {design.activation:<10}"
    )


def step(each: DrawnDesign) -> float:
    """Return the seconds of a forward and a backward step with 16 clips of 2 s."""
    network, clips = trainable(each.create()), torch.randn(16, SHORT) / 10
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        network(clips).square().mean().backward()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def summarise(designs: Sequence[DrawnDesign], n: int, seed: int) -> None:
    """Print how evenly the set is spread, and what it lacks."""
    print(f"\n{len(designs)} designs; |Spearman| of parameters and layers {depth_correlation(designs):.2f}")
    dear = [each for each in designs if each.columns(SHORT)["flop"] > CHEAP]
    print(f"{len(dear)} designs take more than {CHEAP / 1e9} GFLOP for a clip of 2 s")
    for family, n_parameters in unfilled(n, seed):
        print(f"no design: {family} with {n_parameters:,} parameters")


def check(designs: Sequence[DrawnDesign]) -> None:
    """Check the contract of each design, and print the failures and the time."""
    n_failures, start = 0, time.process_time()
    for each in designs:
        try:
            check_frontend(each.create())
        except UntrainedError as error:
            n_failures += 1
            print(f"FAILED: {each}: {error}", flush=True)
    seconds = time.process_time() - start
    print(f"{len(designs) - n_failures} of {len(designs)} designs meet the contract ({seconds:.0f} s of CPU time)")


if __name__ == "__main__":
    main()
