"""Data: reading, shaping, checking and describing them."""
