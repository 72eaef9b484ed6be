"""Parser of rank studies, and the study of `compare` that makes their plug-ins."""

from typing import Any

from jsonargparse import Namespace
from pytorch_lightning import Trainer

from ...parsing import Parser, trainer_defaults
from ..arms import add_recipe
from ..entries import Entries
from ..plan import study_parser
from .items import SENSITIVITIES

PROXY_RIVALS = ["naswot", "synflow", "jacob_cov", "zico", "nngp"]


def rank_parser() -> Parser:
    """Return the parser of rank studies and of overrides on the command line."""
    parser = Parser(
        prog="untrained rank",
        parser_mode="omegaconf+",
        description="Test whether the rank of untrained architectures predicts their rank after training.",
    )
    parser.add_argument("--config", action="config", help="Study as a YAML file.")
    parser.add_argument("--name", type=str, default="rank", help="Folder of the study under the root of the runs.")
    help = "Folders that a study's data sets refer to, for example --roots.gtzan DIR."
    parser.add_argument("--roots", type=dict[str, str | None], default={}, help=help)
    help = "Data sets, the tasks: names, or class_path and init_args. Each needs train, validation and test splits."
    parser.add_argument("--datamodules", type=Entries, default=[], help=help)
    help = "Reasons why tasks that one might expect are left out, by name; reports show them."
    parser.add_argument("--left_out", type=dict[str, str], default={}, help=help)
    parser.add_argument("--designs.n", type=int, default=80, help="Number of drawn designs in the list; 0 for none.")
    parser.add_argument("--designs.seed", type=int, default=0, help="Seed of the list of drawn designs.")
    help = "Largest number of floating-point operations for one clip; designs that need more are left out of the list."
    parser.add_argument("--designs.max_flop", type=float | None, default=None, help=help)
    help = "Largest number of designs of one family; null for no limit."
    parser.add_argument("--designs.max_per_family", type=int | None, default=None, help=help)
    help = "Further frontends, each an architecture: names, or class_path and init_args."
    parser.add_argument("--frontends", type=Entries, default=[], help=help)
    help = "Frontends that are reported apart and enter no statistic."
    parser.add_argument("--apart", type=Entries, default=[], help=help)
    parser.add_argument("--backends", type=Entries, default=["svm"], help="The backend on frozen frontends; one entry.")
    for arm, seeds, what in (
        ("random", [0, 1, 2], "frozen frontends"),
        ("linear", [200, 201, 202], "trained heads on frozen frontends"),
        ("trained", [100, 101, 102], "trained networks; the first one tries all learning rates"),
    ):
        parser.add_argument(f"--seeds.{arm}", type=list[int], default=seeds, help=f"Seeds of {what}.")
    help = "Other predictors of the trained rank, besides numbers of parameters, operations and features: proxies."
    parser.add_argument("--proxies", type=list[str], default=PROXY_RIVALS, help=help)
    help = f"Changes of frozen embeddings that are scored too: {', '.join(SENSITIVITIES)}."
    parser.add_argument("--sensitivities", type=list[str], default=list(SENSITIVITIES), help=help)
    help = "Whether the first 16 architectures are also trained with the head `last`."
    parser.add_argument("--last_head", type=bool, default=True, help=help)
    help = "Learning rate at which the accuracy after one epoch, and the common learning rate, are read."
    parser.add_argument("--common_rate", type=float, default=1e-3, help=help)
    help = "Number of other designs that are trained first, to test whether the study can tell anything; 0 for none."
    parser.add_argument("--gate.n", type=int, default=0, help=help)
    parser.add_argument("--gate.seed", type=int, default=1, help="Seed of the designs of the gate.")
    add_recipe(parser)
    help = "Number of processes for each device; auto is one for each core of a CPU, and four for each GPU."
    parser.add_argument("--jobs", type=int | str, default="auto", help=help)
    help = "Carry out the first architectures of the list only, which are a smaller study; null for all."
    parser.add_argument("--first", type=int | None, default=None, help=help)
    help = "Share of the architectures that this machine carries out, such as 1/2 and 2/2 on two machines."
    parser.add_argument("--part", type=str, default="1/1", help=help)
    help = "Time in s after which nothing new is started; what is running ends first."
    parser.add_argument("--max_seconds", type=float | None, default=None, help=help)
    help = "Folders of the same study, whose results are merged into its folder; nothing is computed."
    parser.add_argument("--merge", nargs="+", type=str, default=[], help=help)
    parser.add_argument("--dry_run", action="store_true", help="Count what is done and to do; estimate the time.")
    parser.add_argument("--open", action="store_true", help="Open the report in the browser.")
    help = "Folder of the cache of waveforms; by default embeddings/ in the trainer's default_root_dir."
    parser.add_argument("--embeddings", type=str | None, default=None, help=help)
    parser.add_class_arguments(Trainer, "trainer", instantiate=False)
    parser.set_defaults({f"trainer.{key}": value for key, value in trainer_defaults().items()})
    parser.set_defaults({"training.learning_rate": [0.0003, 0.001, 0.003]})
    return parser


def as_comparison(config: Namespace, frontends: list[dict[str, Any]]) -> Namespace:
    """Return the study of `compare` whose plug-ins are those of a rank study.

    Args:
        config: Rank study, as its parser returns it.
        frontends: Entries of all architectures.
    """
    made: Namespace = study_parser().parse_object(
        {
            "name": config.name,
            "roots": config.roots,
            "datamodules": config.datamodules,
            "frontends": frontends,
            "backends": config.backends,
            "controls": [],
            "seeds": [*config.seeds.random, *config.seeds.trained, *config.seeds.linear],
            "protocol": "holdout",
            "model": {"calibrate": [True]},
        }
    )
    made.training, made.trainer, made.embeddings = config.training.clone(), config.trainer, config.embeddings
    return made
