"""How fast things are, as ratios to floors measured in the same run."""
