"""Backends: embeddings and labels -> classifier, as scikit-learn estimators."""

from .base import SEARCH, Backend, Search, SearchResult, unless_searched

__all__ = ["SEARCH", "Backend", "Search", "SearchResult", "unless_searched"]
