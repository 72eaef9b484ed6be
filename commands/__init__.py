"""Commands: one module with a function `run` for each command of `untrained`; `stages` has three commands."""

COMMANDS = {
    "predict": "Extract missing embeddings of a data set with a frontend.",
    "fit": "Extract missing embeddings, tune and fit a backend, and save the result.",
    "train": "Train a frontend and a head end to end, and save the result as a run.",
    "test": "Score a fitted probe on the test split.",
    "compare": "Run a study: frontends x backends x data sets x seeds.",
    "proxy": "Compute proxies: numbers that may predict accuracy before training.",
    "rank": "Test whether the rank without training predicts the rank with it.",
    "report": "Rewrite the report of a study from its stored results.",
    "export": "Write stored embeddings to a Parquet file.",
    "classify": "Label sounds with a fitted probe.",
    "check": "Decode every clip of a data set, or check the contract of a plug-in.",
    "config": "Print a bundled study to use as a starting point.",
    "new": "Write a package with a frontend, backend, datamodule or proxy to use as a starting point.",
    "list": "Show registered frontends, backends, datamodules and proxies; stored embeddings; or runs with scores.",
    "completion": "Print a completion script for your shell.",
}
"""Description of each command, by name."""

STAGES = ("predict", "fit", "test")
"""Commands that run a stage of a probe with LightningCLI."""

WITH_SHORT_HELP = (*STAGES, "train", "compare", "rank", "proxy")
"""Commands with so many options that `--help` shows only the important ones, and `--help-all` shows all."""
