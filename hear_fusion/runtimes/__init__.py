"""How a network computes: its arithmetic."""
