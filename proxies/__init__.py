"""Proxies: quantities of a network before training that may predict its accuracy after training."""

from .base import DegenerateError, Proxy
from .subject import Minibatch, Subject

__all__ = ["DegenerateError", "Minibatch", "Proxy", "Subject"]
