"""What one call chooses, held against other methods on data it never saw."""
