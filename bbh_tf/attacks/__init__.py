"""Adversarial examples, against one network or the draws of a posterior."""

from bbh_tf.attacks.fgsm import MODES
from bbh_tf.attacks.fgsm import fgsm
from bbh_tf.attacks.fgsm import fgsm_direction

__all__ = ["MODES", "fgsm", "fgsm_direction"]
