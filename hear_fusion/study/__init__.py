"""Which layers: every layer of a network on every task, and the choice of two."""
