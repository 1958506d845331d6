"""Runs among the submissions of the HEAR leaderboard."""
