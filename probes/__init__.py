"""Probes: selection, fit, scores, checkpoints and use of a frontend with a backend."""
