"""Integrations: frontends in the frameworks of other people."""
