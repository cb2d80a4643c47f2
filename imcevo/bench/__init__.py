"""Benchmarks: how fast kernels, evaluation and search are on this machine."""
