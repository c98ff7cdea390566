"""Figure 1: a cubic, six methods and the posterior itself."""
