"""What the figures of Bayesian hypernetworks share."""
