"""Back-ends: embeddings and labels -> classifier, as scikit-learn estimators."""

from .base import BackEnd, SearchResult

__all__ = ["BackEnd", "SearchResult"]
