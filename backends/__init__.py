"""Backends: embeddings and labels -> classifier, as scikit-learn estimators."""

from .base import Backend, SearchResult

__all__ = ["Backend", "SearchResult"]
