"""Accuracies published by Pons & Serra (2018), for frontends with about 3500 features."""

_BACKENDS = ("svm-standardize=none", "elm-standardize=none")
_COLUMNS = [(dataset, backend) for dataset in ("gtzan", "extended_ballroom", "urbansound8k") for backend in _BACKENDS]

# In per cent, by the names that a study uses. The paper states 59.65, 89.82 and 70.74; the other values are read off
# the figures in the README of its code, accurate to about 0.3. Its frame-level frontends collapse each deep feature map
# to one number; their accuracies are listed for frontends with and without `collapse_deep`.
_ROWS: dict[str, tuple[float | None, ...]] = {
    "vgg-large": (59.65, 43.7, 71.4, 69.7, 70.74, 66.8),
    "vertical_7x96-large": (45.1, 42.9, 60.6, 56.2, 57.0, 57.8),
    "vertical_7x86-large": (53.2, 42.2, 65.3, 57.6, 63.1, 59.7),
    "timbral-large": (52.4, 46.7, 64.3, 56.9, 62.6, 60.7),
    "temporal-large": (43.9, 36.5, 89.82, 89.9, None, None),
    "timbral_temporal-large": (56.7, 50.1, 81.5, 78.5, None, None),
    "timbral_temporal-large-lengths=urbansound8k": (None, None, None, None, 64.2, 62.8),
    "sample_level-large": (50.5, 47.9, 71.0, 65.7, 58.6, 57.6),
    "frame_level-large": (39.9, 37.7, 38.7, 38.7, 38.5, 42.0),
    "frame_level-large-collapse_deep=True": (39.9, 37.7, 38.7, 38.7, 38.5, 42.0),
    "frame_level_many-large": (44.4, 39.2, 41.4, 40.7, 45.1, 46.7),
    "frame_level_many-large-collapse_deep=True": (44.4, 39.2, 41.4, 40.7, 45.1, 46.7),
    "mfcc": (53.4, None, 63.3, None, 65.6, None),
}


def published(datamodule: str, frontend: str, backend: str) -> float | None:
    """Return the published accuracy in per cent; None if none was published.

    Names are those that a study uses: the registered name and the arguments that differ from their defaults. The
    published backends were fitted to features without standardisation.

    The hyper-parameters for Extended Ballroom and UrbanSound8K were chosen on the reported folds, those for GTZAN on
    its validation split.

    Example:
        >>> published("gtzan", "vgg-large", "svm-standardize=none")
        59.65
        >>> published("gtzan", "vgg-large", "svm") is None
        True
    """
    if frontend not in _ROWS or (datamodule, backend) not in _COLUMNS:
        return None
    return _ROWS[frontend][_COLUMNS.index((datamodule, backend))]
