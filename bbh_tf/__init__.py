"""Bayes by Hypernet on Keras 3: distributions over the weights of networks.

```python
import bbh_tf as bbh
import keras

posterior = bbh.posteriors.Implicit()
network = keras.Sequential([
    keras.Input((28, 28, 1)),
    bbh.layers.Bayesian(keras.layers.Conv2D(20, 5), posterior),
    keras.layers.Flatten(),
    bbh.layers.Bayesian(keras.layers.Dense(10), posterior),
])
model = bbh.models.BayesianModel(network, num_train_examples=55_000)
model.compile(keras.optimizers.Adam(1e-4), metrics=["accuracy"])
model.fit(images, labels, epochs=100)
probabilities = model.predict(test_images)
```
"""

from bbh_tf import acquisition
from bbh_tf import annealing
from bbh_tf import attacks
from bbh_tf import callbacks
from bbh_tf import datasets
from bbh_tf import divergences
from bbh_tf import flows
from bbh_tf import hypernetworks
from bbh_tf import layers
from bbh_tf import models
from bbh_tf import optimizers
from bbh_tf import plots
from bbh_tf import posteriors
from bbh_tf import postprocessing
from bbh_tf import priors
from bbh_tf import uncertainty
from bbh_tf.checks import check_backend as _check_backend
from bbh_tf.version import __version__

_check_backend()

__all__ = [
    "__version__",
    "acquisition",
    "annealing",
    "attacks",
    "callbacks",
    "datasets",
    "divergences",
    "flows",
    "hypernetworks",
    "layers",
    "models",
    "optimizers",
    "plots",
    "posteriors",
    "postprocessing",
    "priors",
    "uncertainty",
]
