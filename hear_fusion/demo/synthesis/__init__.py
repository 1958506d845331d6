"""Sounds of the demonstration: recorded notes and synthesised speech."""
