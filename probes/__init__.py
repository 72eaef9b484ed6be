"""Probes: selection, fitting, scoring, checkpoints and inference of a frontend with a backend."""
