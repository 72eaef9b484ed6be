"""Module that HEAR's tools import, under the name that they expect; see `untrained.integrations.hear`."""

from .integrations.hear import HearModel, get_scene_embeddings, get_timestamp_embeddings, load_model

__all__ = ["HearModel", "get_scene_embeddings", "get_timestamp_embeddings", "load_model"]
