"""Adversarial examples, against one network or the draws of a posterior."""

from bbh_tf.attacks.fgsm import fgsm
from bbh_tf.attacks.fgsm import fgsm_direction

__all__ = ["fgsm", "fgsm_direction"]
