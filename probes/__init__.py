"""Probes: one frontend and one backend are chosen, fitted, scored, saved and used."""
