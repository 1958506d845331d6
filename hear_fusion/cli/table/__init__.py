"""What works on feature tables: ``hear-fusion search``, ``duplicates``, ``select``."""
