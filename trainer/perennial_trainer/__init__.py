"""Trains Perennial's tabular model; see README.md."""
