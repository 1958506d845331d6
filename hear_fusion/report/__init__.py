"""What people look at: drawings and tables."""
