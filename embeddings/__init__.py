"""Embeddings of audio clips, which are computed once and stored on disk."""

FORMAT = 3
"""Version of the layout of stores; raise it when older stores can no longer be read."""
