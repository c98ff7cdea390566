"""Figures 5 to 9: what posteriors look like."""
