"""Inputs by the thousand: mutated files and arguments; nothing but our own errors, and nothing run.

``pytest -m slow tests/fuzz`` feeds all of them, the normal suite a few of each kind.
"""
