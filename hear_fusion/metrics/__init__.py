"""Scores of arrays and how sure they are: pure functions, nothing else."""
