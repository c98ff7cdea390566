"""Runs as programs for a machine without TensorFlow."""
