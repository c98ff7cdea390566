"""What a random key is for, which comes first in it after the seed.

So training, prediction, the prior and a discriminator never share numbers.
"""

TRAINING, PREDICTION, PRIOR, DISCRIMINATOR = range(4)
