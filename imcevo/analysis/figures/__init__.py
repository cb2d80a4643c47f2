"""Figures: one message each, one module each."""
