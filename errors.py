"""What can go wrong, by whose hand; the command line turns each into one message and an exit status."""


class UntrainedError(Exception):
    """Something failed that the message explains: exit status 1."""

    exit_status = 1


class UsageError(UntrainedError):
    """The command, an argument or a configuration is not usable as given: exit status 2."""

    exit_status = 2


class PluginError(UsageError):
    """A plug-in is unknown, cannot be imported, collides with another or does not keep its contract."""


class ContractError(UntrainedError):
    """A plug-in does not do what its contract promises; raised by `untrained.testing`."""


class DataError(UsageError):
    """A data set is not what its datamodule expects."""


class CheckpointError(UsageError):
    """A checkpoint is not one of ours, does not fit the command or names types that are not trusted."""


class StoreError(UntrainedError):
    """An embedding store is damaged or was made by another configuration."""


class AudioError(UntrainedError):
    """An audio file cannot be used; names the file, what was found and what to do.

    Args:
        path: The file.
        reason: What is wrong with it.
        remedy: What to do about it.
    """

    def __init__(self, path: str, reason: str, remedy: str) -> None:
        super().__init__(path, reason, remedy)
        self.path, self.reason, self.remedy = path, reason, remedy

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}; {self.remedy}"
