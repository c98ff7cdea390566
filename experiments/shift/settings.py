"""How runs are looked at where nothing else is said."""

DATASETS = ("digits", "mnist")
NUM_IMAGES = 1000
