"""Digits turned and mixed, and calibration."""
