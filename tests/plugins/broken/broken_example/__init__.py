"""Broken on purpose."""


class Impostor:
    """Has a name that another package has."""


class NoFrontEnd:
    """Derives from nothing that it should."""
