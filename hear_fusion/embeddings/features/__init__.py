"""Feature tables of people's recordings: what to read, what is done, what is kept."""
