"""Exceptions, by cause. The command line reports each of them as one message and an exit status."""


class UntrainedError(Exception):
    """Base class of errors whose message explains what failed; exit status 1."""

    exit_status = 1


class UsageError(UntrainedError):
    """Error for an invalid command, argument or configuration; exit status 2."""

    exit_status = 2


class PluginError(UsageError):
    """Error for a plug-in that is unknown, cannot be imported, collides with another or breaks its contract."""


class ContractError(UntrainedError):
    """Error for a plug-in that fails a check of its contract; raised by `untrained.testing`."""


class DataError(UsageError):
    """Error for a data set with missing, malformed or inconsistent content."""


class CheckpointError(UsageError):
    """Error for a checkpoint that is not from untrained, does not match the command, or contains untrusted types."""


class StoreError(UntrainedError):
    """Error for an embedding store that is damaged or was made with another configuration."""


class TrainingError(UntrainedError):
    """Error for a training run that cannot continue, for example because the loss is not finite."""


class AudioError(UntrainedError):
    """Error for an audio file that cannot be used; it names the file, the reason and the remedy.

    Args:
        path: Path of the file.
        reason: Reason why the file cannot be used, as a full clause.
        remedy: What the user can do about it.
    """

    def __init__(self, path: str, reason: str, remedy: str) -> None:
        super().__init__(path, reason, remedy)
        self.path, self.reason, self.remedy = path, reason, remedy

    def __str__(self) -> str:
        return f"cannot use {self.path}: {self.reason}; {self.remedy}"
