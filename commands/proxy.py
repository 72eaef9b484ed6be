"""`untrained proxy`: compute numbers of a frontend before training that may predict its accuracy after training."""

import copy
import difflib
import re
from collections.abc import Sequence
from typing import Any

import torch
from jsonargparse import Namespace
from rich.table import Table

from ..datamodules import AudioDataModule
from ..errors import DataError, PluginError, UsageError
from ..escaping import for_terminal
from ..frontends import Frontend
from ..frontends.initialisers import Init
from ..frontends.pooling import Pooling
from ..parsing import Parser, instantiate, load_names
from ..probes.origin import refuse_calibration, with_weights
from ..probes.record import RANDOM
from ..proxies import Proxy
from ..proxies.base import NEEDS
from ..proxies.batches import N_BATCHES, N_CLIPS, draw_batches
from ..proxies.nngp import NAME as NNGP
from ..proxies.nngp import NEEDS as NNGP_NEEDS
from ..proxies.nngp import nngp_score, parts_of
from ..proxies.scoring import Score, averaged, named, score
from ..proxies.subject import needs_of
from ..registry import DATAMODULES, FRONTENDS, PROXIES
from ..terminal import console, progress, say
from .dispatch import begin, run_with_argv
from .lightning import explained_lack
from .words import names_first

_LISTS = ("--proxies", "--seeds")


def run(argv: list[str]) -> int:
    """Print a table of proxies of a frontend.

    Args:
        argv: Command line without `proxy`.

    Returns:
        Exit status.

    Raises:
        UsageError: The command line is invalid.
    """
    load_names((FRONTENDS, DATAMODULES))
    begin()
    parser = proxy_parser()
    words = spread(names_first(["proxy", *argv]))
    try:
        config = run_with_argv(lambda: parser.parse_args(words[1:]), words)
    except UsageError as error:
        raise explained_lack(error) from error
    has_nngp = not config.proxies or NNGP in config.proxies
    proxies, problems = chosen(config.proxies)
    device = _device(config.device)
    frontends = frontends_of(parser, config)
    data: AudioDataModule = _make(parser, "data", config.data)
    batches, classes = draw_batches(data, frontends[0].sample_rate, config.n_clips, config.n_batches)
    scores = []
    for frontend in progress(frontends, len(frontends), "computing proxies"):
        if config.model.calibrate:
            _calibrate(frontend, [part for waveforms, _ in batches for part in parts_of(waveforms)])
        scores.append(score(frontend.to(device), batches, proxies, n_classes=len(classes)))
    found = averaged(scores)
    needs = list(map(_describe_needs, proxies))
    if has_nngp:
        found.append(nngp_score(frontends, batches, len(classes)))
        needs.append(NNGP_NEEDS)
    n_samples = batches[0][0].shape[1]
    seeds = ", ".join(str(frontend.seed) for frontend in frontends)
    say(
        f"{named(frontends[0])} (seed {seeds}) on {data.dataset_name}: {len(batches)} batches of {len(batches[0][0])} "
        f"clips of {n_samples:,} samples, {len(classes)} classes"
    )
    console().print(table(found, needs))
    if len(batches[-1][0]) < config.n_clips:
        say(
            f"The batches have fewer than --n_clips {config.n_clips} clips, because {data.dataset_name} has too few "
            "training clips."
        )
    for line in [*(each.reason for each in found if each.reason), *problems]:
        say(line)
    return 0


def proxy_parser() -> Parser:
    """Return the parser of the command."""
    parser = Parser(prog="untrained proxy", description="Compute proxies of a frontend.")
    parser.add_argument("--config", action="config", help="YAML file with options.")
    help = "Names of the proxies; by default nngp and all that are registered."
    parser.add_argument("--proxies", nargs="+", type=str, default=[], help=help)
    parser.add_argument("--n_clips", type=int, default=N_CLIPS, help="Number of training clips in a batch.")
    help = "Number of batches. Most proxies read the first one alone; zico compares all, and nngp predicts the others."
    parser.add_argument("--n_batches", type=int, default=N_BATCHES, help=help)
    help = "Seeds of the frontend, by default its own. Values are averaged over them; nngp joins their features."
    parser.add_argument("--seeds", nargs="+", type=int, default=[], help=help)
    parser.add_argument("--device", type=str, default="cpu", help="Device that computes, such as cpu, cuda or mps.")
    parser.add_subclass_arguments(FRONTENDS.contract, "model.frontend", required=True, help="Frontend to examine.")
    help = "Distribution of the weights; by default, that of the frontend."
    parser.add_argument("--model.init", type=Init | None, default=None, help=help)
    help = "Pooling of the feature maps; by default, that of the frontend."
    parser.add_argument("--model.pooling", type=Pooling | None, default=None, help=help)
    help = "Whether to normalise the input and BatchNorm layers with statistics of the clips of the batches."
    parser.add_argument("--model.calibrate", type=bool, default=False, help=help)
    help = "Weights: random, or a file frontend.safetensors written by untrained train."
    parser.add_argument("--model.weights", type=str, default=RANDOM, help=help)
    parser.add_subclass_arguments(DATAMODULES.contract, "data", required=True, help="Data set of the clips.")
    return parser


def spread(words: Sequence[str]) -> list[str]:
    """Return a command line in which lists in brackets are separate words.

    Args:
        words: Command line.

    Example:
        >>> spread(["proxy", "--seeds", "[0, 1]", "--proxies=[snip]"])
        ['proxy', '--seeds', '0', '1', '--proxies', 'snip']
    """
    found: list[str] = []
    for word in words:
        option, sign, value = word.partition("=")
        if sign and option in _LISTS:
            found.append(option)
            word = value
        is_list = any(previous in _LISTS for previous in found[-1:]) and re.fullmatch(r"\[.*\]", word)
        found += [part for part in re.split(r"[\s,]+", word[1:-1]) if part] if is_list else [word]
    return found


def chosen(names: Sequence[str]) -> tuple[list[Proxy], list[str]]:
    """Return the proxies to compute, and the problems of those that cannot be.

    Args:
        names: Names of the proxies; if there are none, all that are registered. `nngp` is left out, because it is not
            in the registry.

    Raises:
        PluginError: A name is unknown or given twice, its proxy cannot be loaded or created, or a plug-in has the name
            `nngp`.
    """
    if NNGP in PROXIES.names():
        raise PluginError(
            f"proxy {NNGP!r} of {PROXIES.find(NNGP).distribution} has the name of a score of untrained; rename it"
        )
    twice = [name for name in names if list(names).count(name) > 1]
    if twice:
        raise PluginError(f"--proxies has {twice[0]!r} more than once; remove one")
    loaded, failed = ({name: _get(name) for name in names if name != NNGP}, {}) if names else PROXIES.load_all()
    made, problems = [], [str(error) for error in failed.values()]
    for name, cls in loaded.items():
        try:
            made.append(cls())
        except Exception as error:  # a plug-in may raise anything
            problem = f"proxy {name!r} cannot be created: {type(error).__name__}: {error}"
            if names:
                raise PluginError(problem) from error
            problems.append(problem)
    return made, problems


def _get(name: str) -> type[Proxy]:
    """Return a registered proxy.

    Raises:
        PluginError: The name is unknown, or the proxy cannot be loaded.
    """
    try:
        return PROXIES.get(name)
    except PluginError as error:
        if str(error) != PROXIES.unknown(name):
            raise
        nearest = difflib.get_close_matches(name, [*PROXIES.names(), NNGP], n=1)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        raise PluginError(
            f"unknown proxy {name!r}; {hint}registered: {', '.join(PROXIES.names())}; also {NNGP}"
        ) from None


def frontends_of(parser: Parser, config: Namespace) -> list[Frontend]:
    """Return the frontend of a command line, once for each seed.

    Args:
        parser: Parser of the command.
        config: Parsed command line.

    Raises:
        UsageError: The frontend rejects its arguments, a seed is given twice, or the seeds have no effect.
    """
    model, seeds = config.model, config.seeds
    if len(set(seeds)) < len(seeds):
        raise UsageError(f"--seeds {' '.join(map(str, seeds))} has a seed twice; remove one")
    if seeds and model.weights != RANDOM:
        raise UsageError(f"--seeds has no effect, because the weights are loaded from {model.weights!r}; leave it out")
    found = []
    for seed in seeds or [None]:
        of_seed = copy.deepcopy(model.frontend)
        if seed is not None:
            of_seed.init_args.seed = seed
        made: Frontend = _make(parser, "model.frontend", of_seed)
        try:
            frontend = with_weights(made, model.init, model.pooling, model.weights)
        except ValueError as error:
            raise UsageError(str(error)) from error
        if model.calibrate:
            refuse_calibration(frontend, model.weights)
        found.append(frontend)
    return found


def _make(parser: Parser, key: str, config: Namespace) -> Any:
    """Return the plug-in of one key of a configuration."""
    alone = Namespace()  # type: ignore[no-untyped-call]
    alone[key] = config
    return instantiate(parser, alone)[key]


def table(scores: Sequence[Score], needs: Sequence[str]) -> Table:
    """Return a table of scores, with the time and the needs of each proxy.

    Args:
        scores: Scores.
        needs: What each of them needs, as text.
    """
    made = Table()
    for name in ("proxy", "value", "seconds", "needs"):
        made.add_column(name, justify="right" if name in ("value", "seconds") else "left")
    for each, needed in zip(scores, needs, strict=True):
        whole = each.value.is_integer() and abs(each.value) < 1e15
        value = f"{each.value:,.0f}" if whole else f"{each.value:.6g}"
        made.add_row(for_terminal(each.proxy), value, f"{each.seconds:.2f}", needed)
    return made


def _describe_needs(proxy: Proxy) -> str:
    """Return what a proxy needs as text."""
    try:
        needs = needs_of(proxy)
    except PluginError as error:
        return str(error)
    parts = [] if "data" in needs else ["no data"]
    parts += [{"data": "clips"}.get(name, name) for name in NEEDS if name in needs and name != "backward"]
    passes = ["backward pass"] if "backward" in needs else ["forward pass"] if "data" in needs else []
    return ", ".join(parts + passes)


def _calibrate(frontend: Frontend, waveforms: Sequence[torch.Tensor]) -> None:
    """Calibrate a frontend.

    Raises:
        DataError: The clips have no usable statistics, or the frontend cannot compute them.
    """
    try:
        frontend.calibrate(waveforms)
    except Exception as error:  # a plug-in may raise anything
        text = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise DataError(f"frontend {named(frontend)!r}: {text}") from error


def _device(name: str) -> torch.device:
    """Return a device.

    Raises:
        UsageError: It does not exist here.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(
            f"--device {name!r} cannot be used: {reason}; use cpu, or another device of this machine"
        ) from error
    return device
