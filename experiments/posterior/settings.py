"""How posteriors are drawn where nothing else is said."""

# As many as the authors' code makes for the paper's figures.
NUM_DRAWS = 1000
NUM_CHOSEN = 2000
