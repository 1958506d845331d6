"""Feature tables: one vector a row, of a sound or a segment of one."""
