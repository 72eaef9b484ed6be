"""Plug-ins for untrained."""
