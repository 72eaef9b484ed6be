"""Sizes of a network as proxies. Their ranks are the same on a logarithmic scale."""

from .base import Proxy
from .subject import Subject


class NParameters(Proxy):
    """Number of parameters of the frontend, without a head; Ning et al. 2021 report it as a strong baseline.

    It is `n_parameters` of `Frontend.describe`.

    Reference: Ning et al. 2021, Evaluating efficient performance estimators of neural architectures (NeurIPS).
    """

    def compute(self, subject: Subject) -> float:
        """Return the number of parameters."""
        return subject.frontend.describe(subject.n_samples).n_parameters


class Flop(Proxy):
    """Floating-point operations for one clip, two for each multiply-add; the spectrogram is not counted.

    It is `flop` of `Frontend.describe` for the length of the clips.

    Reference: Ning et al. 2021, Evaluating efficient performance estimators of neural architectures (NeurIPS).
    """

    def compute(self, subject: Subject) -> float:
        """Return the number of operations."""
        return subject.frontend.describe(subject.n_samples).flop


class NFeatures(Proxy):
    """Number of features of an embedding, on which the accuracy of untrained networks depends (Pons & Serra 2018).

    Reference: Pons & Serra 2018, Randomly weighted CNNs for (music) audio classification (arXiv 1805.00237).
    """

    def compute(self, subject: Subject) -> float:
        """Return the number of features."""
        return subject.frontend.embedding_size
