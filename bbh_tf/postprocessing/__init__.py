"""What is done after training, on held-out data: temperatures, conformal sets.

Numbers in, numbers out, but for `with_temperature`, which takes a model.
Held-out data are such that neither the model was trained on nor anything is
reported of.
"""

from bbh_tf.postprocessing.absolute_intervals import AbsoluteIntervals
from bbh_tf.postprocessing.adaptive_sets import AdaptiveSets
from bbh_tf.postprocessing.quantile_intervals import QuantileIntervals
from bbh_tf.postprocessing.temperature import Temperature
from bbh_tf.postprocessing.temperature_fit import fit_temperature
from bbh_tf.postprocessing.temperature_fit import with_temperature
from bbh_tf.postprocessing.threshold_sets import ThresholdSets

__all__ = [
    "AbsoluteIntervals",
    "AdaptiveSets",
    "QuantileIntervals",
    "Temperature",
    "ThresholdSets",
    "fit_temperature",
    "with_temperature",
]
