"""The demonstration, from its sounds to its scores."""

DEMO_TASKS = ("instruments", "pitches", "words", "languages", "voices", "events")
"""Names of its tasks, here so that a command knows them without making one."""
