"""How posteriors are drawn where nothing else is said."""

# The paper's figures have as many.
NUM_DRAWS = 1000
NUM_CHOSEN = 2000
