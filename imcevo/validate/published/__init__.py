"""The published profile against published points, and against the physical profile."""
