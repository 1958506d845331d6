"""Sound to embeddings on disk: one pass, one array a layer."""
