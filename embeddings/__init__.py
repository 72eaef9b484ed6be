"""Embeddings: audio -> rows on disk, computed once."""

FORMAT = 2
"""Version of the layout of stores; raise it when older stores cannot be read any more."""
