"""The figures of the paper on the deep weight prior, as data.

Atanov et al., The Deep Weight Prior, arXiv:1810.06943. What is said to be read
off is from pictures, the rest from the authors' notebook or the paper's text.
"""

# Figure 2: data set -> prior -> training examples -> mean test accuracy. MNIST:
# from the notebook; CIFAR-10: read off, to 0.001.
CLASSIFICATION = {
    "mnist": {
        "dwp": {50: 0.800, 100: 0.867, 200: 0.915, 500: 0.945, 1000: 0.961},
        "log_uniform": {
            50: 0.766,
            100: 0.839,
            200: 0.894,
            500: 0.938,
            1000: 0.958,
        },
        "normal": {50: 0.717, 100: 0.816, 200: 0.890, 500: 0.938, 1000: 0.959},
        "deterministic": {
            50: 0.751,
            100: 0.827,
            200: 0.879,
            500: 0.926,
            1000: 0.954,
        },
    },
    "cifar10": {
        "dwp": {50: 0.236, 200: 0.303, 500: 0.356},
        "normal": {50: 0.224, 200: 0.289, 500: 0.353},
        "log_uniform": {50: 0.219, 200: 0.287, 500: 0.336},
    },
}
# What each started from there.
CLASSIFICATION_STARTS = {
    "dwp": "means",
    "deterministic": "means",
    "log_uniform": "xavier",
    "normal": "xavier",
}
# Figure 3: data set -> initialisation -> k -> test accuracy, read off to 0.001
# (MNIST) and 0.002.
FEATURES = {
    "mnist": {
        "filters": {
            0.0625: 0.963,
            0.125: 0.972,
            0.25: 0.979,
            0.5: 0.984,
            1.0: 0.987,
        },
        "dwp": {
            0.0625: 0.956,
            0.125: 0.970,
            0.25: 0.976,
            0.5: 0.980,
            1.0: 0.983,
        },
        "xavier": {
            0.0625: 0.930,
            0.125: 0.956,
            0.25: 0.972,
            0.5: 0.979,
            1.0: 0.983,
        },
    },
    "cifar10": {
        "filters": {0.125: 0.653, 0.25: 0.680, 0.5: 0.703, 1.0: 0.710},
        "dwp": {0.125: 0.637, 0.25: 0.659, 0.5: 0.677, 1.0: 0.689},
        "xavier": {0.125: 0.621, 0.25: 0.639, 0.5: 0.649, 1.0: 0.656},
    },
}
# Figure 4, read off: what is trained -> initialisation -> steps -> value.
CONVERGENCE = {
    "mnist classifier": {
        "dwp": {50: 0.961, 300: 0.985},
        "filters": {50: 0.967, 300: 0.985},
        "xavier": {50: 0.930, 300: 0.983},
    },
    "mnist autoencoder": {
        "dwp": {200: -115, 400: -103, 1000: -93},
        "filters": {200: -115, 400: -103, 1000: -93},
        "xavier": {200: -160, 400: -117, 1000: -95},
    },
    "cifar10 classifier": {
        "dwp": {200: 0.53, 400: 0.61},
        "filters": {200: 0.52, 400: 0.61},
        "xavier": {200: 0.43, 400: 0.49},
    },
}
# Table 1, thousands of nats; its data set and network are not said.
GAP = {
    "auxiliary": -23.375,
    "importance_weighted": -9.957,
    "gap": 13.418,
    "auxiliary_of_prior": -128.325,
}
