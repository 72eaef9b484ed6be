"""Raises when it is imported."""

raise ZeroDivisionError("at import")
