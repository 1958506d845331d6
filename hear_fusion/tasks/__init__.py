"""Sound collections as HEAR task folders: one file a data set, and one writer (``folder``)."""
