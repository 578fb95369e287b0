"""Reference compressors to learn from."""
