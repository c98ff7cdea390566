"""What the authors' code has of the ResNet in place of He et al.'s."""

# Strides of its own.
FIXED = {"strides": (2, 2, 2), "normalization": "image"}
# No last normalisation where weights are random. Statistics are the test
# batch's, which are one image's except under layer-wise hypernetworks.
RANDOM = {**FIXED, "final_normalization": False}
