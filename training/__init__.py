"""Training end to end: a frontend and a head learn by gradients, and the outcome is a run like any other."""
