"""Integrations: frontends as components of other frameworks."""
