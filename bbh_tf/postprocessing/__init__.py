"""Temperature scaling and conformal prediction, on held-out data.

Arrays in, arrays out, except `with_temperature`, which takes a model. Held-out
data are data that are used neither for training nor for reported results.
"""

from bbh_tf.postprocessing.absolute_intervals import AbsoluteIntervals
from bbh_tf.postprocessing.adaptive_sets import AdaptiveSets
from bbh_tf.postprocessing.quantile_intervals import QuantileIntervals
from bbh_tf.postprocessing.std_factor import fit_std_factor
from bbh_tf.postprocessing.temperature import Temperature
from bbh_tf.postprocessing.temperature_fit import fit_binary_temperature
from bbh_tf.postprocessing.temperature_fit import fit_temperature
from bbh_tf.postprocessing.threshold_sets import ThresholdSets
from bbh_tf.postprocessing.with_temperature import with_temperature

__all__ = [
    "AbsoluteIntervals",
    "AdaptiveSets",
    "QuantileIntervals",
    "Temperature",
    "ThresholdSets",
    "fit_binary_temperature",
    "fit_std_factor",
    "fit_temperature",
    "with_temperature",
]
