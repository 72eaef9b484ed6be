"""What the fork server has done before it forks a command: imports, and the names of our plug-ins for parsers.

Making these names takes 2 s, a third of a short command. Figures stay blank, as in most tests.
"""

import untrained.commands.compare
import untrained.commands.stages
import untrained.commands.train
import untrained.studies.figures  # noqa: F401
from matplotlib.figure import Figure
from untrained.parsing import load_names
from untrained.registry import BACKENDS, DATAMODULES, FRONTENDS

Figure.draw = lambda figure, renderer: None
load_names()
for registry in (FRONTENDS, BACKENDS, DATAMODULES):
    vars(registry).pop("_installed", None)  # a command finds what is installed in its own environment
