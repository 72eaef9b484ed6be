"""Embeddings: audio -> rows on disk, once."""
