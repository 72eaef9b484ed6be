"""Embeddings: audio -> rows on disk, computed once."""
