"""Broken on purpose."""


class Impostor:
    """Has a name that another package has."""


class NoFrontend:
    """Derives from nothing that it should."""
