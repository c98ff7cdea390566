"""Figures 3 and 4: runs under attack."""
