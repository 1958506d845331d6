"""Heads on frozen features: the paper's linear evaluation."""
