"""How runs are attacked where nothing else is said."""

EPSILONS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
NUM_IMAGES = 1000
NUM_SAMPLES = 100
