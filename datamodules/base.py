"""Base class of datamodules, which provide the clips of a data set with their labels and splits or folds."""

import contextlib
import copy
import inspect
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar, overload

from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule

from .. import audio
from ..errors import DataError, UsageError
from ..registry import DATAMODULES
from .classes import refuse_few_classes
from .clip import Clip, Stamp
from .contract import listed_by
from .digests import stamp_of
from .labels import united
from .listing import Clips
from .loader import Batch as Batch
from .loader import Cache, ClipLoader
from .machine import CLIPS, Auto, plan_loading
from .options import CacheMode, OnError, require_integers, require_known, require_length
from .signature import spell_out
from .splits import fold_by_class, refuse_torn_groups, split_by_class
from .stamps import Stamps, stamps_of

DEFAULT_SAMPLE_RATE = 12_000


class AudioDataModule(LightningDataModule):
    """Clips of one data set, all of the same length.

    A plug-in must define `clips`. By default, the waveform of a clip is read from its file. If a plug-in defines
    `__init__`, it must pass on the arguments below. The signature `def __init__(self, root: str, **loader:
    Unpack[LoaderOptions])` accepts all of them with these defaults, also on the command line and in studies.

    Args:
        n_samples: Length of every waveform, in samples at the frontend's sample rate. The default is 48,000 for
            `urbansound8k` and 350,000 for other data sets, which is 29.2 s for most frontends.
        seconds: Length of every waveform in s, instead of `n_samples`.
        fit_length: Method of extending a shorter clip: `repeat` it, or pad it with zeros (`zero`).
        seed: Seed of splits and folds.
        on_error: Whether a file that cannot be read ends the run (`raise`) or is reported and skipped (`skip`).
        batch_size: Number of clips per batch. `auto` uses 8, or on a GPU as many as fit in its memory, up to 32.
        num_workers: Number of worker processes that decode audio. 0 decodes in the main process. `auto` uses the
            available CPU cores if the embeddings are computed on a GPU, and 0 otherwise.
        sample_rate: Sample rate of the waveforms in Hz; by default the frontend's.
        cache: Whether decoded waveforms are kept on disk: `auto` keeps up to 2 GB, `float32` as many as the disk holds,
            `int16` the same in half the space, rounded, and `off` none.

    Attributes:
        default_n_samples: Length of every waveform if neither `n_samples` nor `seconds` is given, in samples.
        origin: Creator and source of the data set, as text for the user.
        licence: Terms of use of the data set, as text for the user.
        citation: Reference to cite for the data set, as text for the user.
        notes: Notes for the user on the data that was found, for example on listed clips that are missing.
        n_other_files: Number of files that are not clips of the data set.
        unfit: Reason why the clips could not be assigned to splits or folds; empty if they were.
    """

    default_n_samples: ClassVar[int] = 350_000
    origin: ClassVar[str | None] = None
    licence: ClassVar[str | None] = None
    citation: ClassVar[str | None] = None
    labelled_by: str = "clips() gives each clip a label"  # source of the labels, for the error about missing classes

    def __init__(
        self,
        *,
        n_samples: int | None = None,
        seconds: float | None = None,
        fit_length: audio.FitLength = "repeat",
        seed: int = 0,
        on_error: OnError = "raise",
        batch_size: int | Auto = "auto",
        num_workers: int | Auto = "auto",
        sample_rate: int | None = None,
        cache: CacheMode = "auto",
    ) -> None:
        super().__init__()
        rate = DEFAULT_SAMPLE_RATE if sample_rate is None else sample_rate
        require_integers(batch_size, num_workers, seed, rate)
        own_default = inspect.signature(type(self)).parameters.get("n_samples")
        if seconds is not None and own_default is not None and own_default.default == n_samples:
            n_samples = None  # the default in the signature of a plug-in, which `seconds` overrides
        require_length(n_samples, seconds, rate)
        cache = "off" if cache is False else cache
        require_known(fit_length=fit_length, on_error=on_error, cache=cache)
        self._n_samples = self.default_n_samples if n_samples is None else n_samples
        self.seconds, self.fit_length, self.seed, self.on_error = seconds, fit_length, seed, on_error
        self.batch_size, self.num_workers, self.sample_rate = batch_size, num_workers, sample_rate
        self.cache, self._rate = cache, rate
        self.waveform_cache: Cache | None = None  # at the sample rate in use
        self.n_other_files, self.unfit = 0, ""
        self.notes: list[str] = []
        self._selected: Sequence[str] | NDArray[Any] | None = None
        self._keeps_workers = False
        self._loader: ClipLoader | None = None
        self._common = frozenset(vars(self)) | {"_common"}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            spell_out(cls)

    def clips(self) -> Sequence[Clip]:
        """Return all clips of the data set, such as a list; `listing.Clips` holds millions as columns."""
        raise TypeError(f"{type(self).__name__} does not define clips(), which must return the clips of the data set")

    @property
    def n_samples(self) -> int:
        """Length of every waveform, in samples at the sample rate of the frontend in use."""
        return self.samples_at(self._rate)

    def samples_at(self, sample_rate: int) -> int:
        """Return the length of every waveform in samples, which depends on the sample rate only if `seconds` is given.

        Args:
            sample_rate: Sample rate of the waveforms in Hz.
        """
        return self._n_samples if self.seconds is None else max(1, round(self.seconds * sample_rate))

    @property
    def dataset_name(self) -> str:
        """Short name of the data set, for folders and tables."""
        return type(self).__name__.lower()

    @property
    def source(self) -> dict[str, Any]:
        """Source of the clips' audio, as plain values; embeddings of different sources are stored separately.

        By default, the source consists of the name of the class and the attributes that its `__init__` sets. An
        override should leave out attributes that do not change the audio, such as the number of folds.
        """
        own = {name: str(value) for name, value in vars(self).items() if name not in self._common and name[0] != "_"}
        own.pop("listed", None)
        return {"datamodule": DATAMODULES.name_of(type(self)) or type(self).__qualname__, **own}

    def stamp(self, clip: Clip) -> Stamp:
        """Return the size and modification time of a clip's file; zeros if it cannot be read."""
        return stamp_of(clip)

    def stamps(self) -> Stamps:
        """Return the current stamp of every clip by its id."""
        return stamps_of(Clips.of(self.listed), None if type(self).stamp is AudioDataModule.stamp else self.stamp)

    def read(self, clip: Clip, sample_rate: int) -> audio.Decoded:
        """Read the waveform of a clip, `(samples_at(sample_rate),)` at `sample_rate` Hz.

        Raises:
            AudioError: The clip's file cannot be used.
        """
        if clip.path is None:
            raise TypeError(f"clip {clip.id!r} has no path; {type(self).__name__} must define read()")
        n_samples = self.samples_at(sample_rate)
        return audio.load(clip.path, sample_rate=sample_rate, n_samples=n_samples, fit_length=self.fit_length)

    @cached_property
    def listed(self) -> Clips:
        """The clips, sorted by id and checked; columns from which clips are created one by one.

        Raises:
            DataError: There are no clips, an id occurs twice, or splits or folds divide a group.
            PluginError: `clips` raises an error or returns something other than clips.
        """
        self.notes, self.unfit = [], ""
        clips, notes = united(listed_by(self))
        self.notes += [note for note in notes if note not in self.notes]
        if not len(clips):
            raise DataError(f"{self.dataset_name}: found no clips")
        refuse_torn_groups(clips, self.dataset_name)
        return clips

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, sorted."""
        return sorted(self.listed.labels.counts())

    def require_classes(self) -> None:
        """Raise an error if no backend can be fitted to the clips; their embeddings can still be computed.

        Raises:
            DataError: There are fewer than two classes, clips without a label, or too few clips for splits or folds.
        """
        refuse_few_classes(self.listed, self.dataset_name, self.labelled_by)
        if self.unfit:
            raise DataError(self.unfit)

    @overload
    def divided(self, clips: Clips, folds: int | None) -> Clips: ...
    @overload
    def divided(self, clips: list[Clip], folds: int | None) -> list[Clip]: ...
    def divided(self, clips: Clips | list[Clip], folds: int | None) -> Clips | list[Clip]:
        """Return clips with splits or folds that are assigned at random, reproducibly for the seed.

        If there are too few clips, they are returned without splits and folds, and `unfit` states the reason.

        Args:
            clips: Clips without splits and folds.
            folds: Number of folds; None for splits.
        """
        found, notes = united(clips)
        self.notes += notes
        if len(found.labels.counts()) >= 2:
            try:
                found = split_by_class(found, self.seed) if folds is None else fold_by_class(found, folds, self.seed)
            except DataError as error:  # raised by `require_classes`, only if a backend is to be fitted
                self.unfit = str(error)
        return found if isinstance(clips, Clips) else list(found)

    def note_absent(self, names: Sequence[str], n_present: int, what: str = "clips") -> None:
        """Add a note on clips, or other items, that the data set lists but that are missing, if there are any."""
        if names:
            shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
            self.notes.append(f"{len(names)} of {len(names) + n_present} listed {what} are missing: {shown}")

    def note_absent_classes(self, names: Iterable[str], clips: Sequence[Clip]) -> None:
        """Add a note on classes of the data set that have no clip."""
        absent = sorted(set(names).difference(clip.label for clip in clips))
        if absent:
            what = f"{len(absent)} classes are" if len(absent) > 1 else "the class is"
            self.notes.append(f"no clip of {', '.join(map(repr, absent))}: {what} left out")

    def setup(self, stage: str) -> None:
        """Adopt the sample rate of the trainer's frontend.

        Raises:
            UsageError: The argument `sample_rate` differs from that of the frontend.
        """
        frontend = getattr(getattr(self.trainer, "lightning_module", None), "frontend", None)
        if frontend is None:
            return
        if self.sample_rate not in (None, frontend.sample_rate):
            expected = f"which expects {frontend.sample_rate} Hz"
            raise UsageError(
                f"--data.sample_rate {self.sample_rate} does not match the frontend, {expected}; remove the option"
            )
        self._rate = frontend.sample_rate

    def select(self, clips: Sequence[str] | NDArray[Any] | None) -> None:
        """Restrict the predict loop to some clips; None selects all clips.

        Args:
            clips: Ids of the clips, or an array of their positions in `listed`, which needs no object for each clip.
        """
        self._selected = clips

    @contextlib.contextmanager
    def workers_kept(self) -> Iterator[None]:
        """Keep worker processes alive between the extractions in a `with` block, such as those of a study."""
        self._keeps_workers = True
        try:
            yield
        finally:
            self._keeps_workers = False
            self.end_workers()

    def end_workers(self) -> None:
        """End the worker processes that are kept alive; the next extraction starts new ones."""
        if self._loader is not None:
            self._loader.close()
        self._loader = None

    def predict_dataloader(self) -> ClipLoader:
        """Return a loader of the selected clips, sorted by id; each of several processes loads its share.

        The loader is not a `DataLoader`, because Lightning would recreate it and end its workers at each extraction.
        """
        clips = self.listed if self._selected is None else self.listed.selected(self._selected)
        batch_size, num_workers = self.batch_size, self.num_workers
        if self.trainer is not None and self.trainer.predicting:  # other loops of the trainer compute no embeddings
            clips = clips[self.trainer.global_rank :: self.trainer.world_size]
            batch_size, num_workers = plan_loading(
                batch_size,
                num_workers,
                n_clips=len(clips),
                n_samples=self.n_samples,
                device=self.trainer.strategy.root_device,
                forward=getattr(self.trainer.lightning_module, "frontend", None) or self.trainer.lightning_module,
                n_processes=self.trainer.num_devices,
            )
        batch_size = CLIPS if batch_size == "auto" else batch_size
        num_workers = 0 if num_workers == "auto" else num_workers
        loader = self._loader
        if loader is None or not self._keeps_workers or loader.num_workers < num_workers:
            self.end_workers()
            # Workers need the datamodule to read clips, but not the trainer that is attached to it.
            detached = copy.copy(self)
            detached.trainer = detached._loader = detached.waveform_cache = None
            loader = ClipLoader(detached.read, num_workers, keep=self._keeps_workers)
            self._loader = loader if self._keeps_workers else None
        return loader.load(clips, self._rate, batch_size, self.waveform_cache)
