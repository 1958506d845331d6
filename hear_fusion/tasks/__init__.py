"""HEAR task folders: their format, their clips, how they are written, resampled and checked."""
