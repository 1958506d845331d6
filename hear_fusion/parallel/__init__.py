"""Cores, processes and memory of this machine."""
