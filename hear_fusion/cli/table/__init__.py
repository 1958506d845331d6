"""Verbs that work on feature tables."""
