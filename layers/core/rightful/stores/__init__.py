"""Connectors: one kind of store each, found through `registry`."""
