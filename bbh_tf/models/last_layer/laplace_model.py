"""A Bayesian model whose last layer's posterior is Laplace's."""

import keras

from bbh_tf.models.bayesian_model import BayesianModel


@keras.saving.register_keras_serializable(package="bbh_tf.models")
class LaplaceModel(BayesianModel):
    """A `BayesianModel` as `laplace` makes it, with what it found.

    `fit` continues with variational inference of the last layer; the other
    layers stay point estimates, and train too. `log_evidence` keeps its value.

    Args:
        network: as in `BayesianModel`.
        num_train_examples: as in `BayesianModel`.
        log_evidence: log p(y) of the training data under Laplace's
            approximation, nats for the whole data set; None if not known.
        prior_precision: 1 / variance of each weight's prior; None likewise.
        **kwargs: the other arguments of `BayesianModel`.
    """

    def __init__(
        self,
        network,
        num_train_examples,
        log_evidence=None,
        prior_precision=None,
        **kwargs,
    ):
        super().__init__(network, num_train_examples, **kwargs)
        self.log_evidence = log_evidence
        self.prior_precision = prior_precision

    def summary(self, print_fn=None, **kwargs):
        """Prints what `BayesianModel.summary` does, and what was found."""
        super().summary(print_fn=print_fn, **kwargs)
        found = []
        if self.log_evidence is not None:
            found.append(
                f"log evidence {self.log_evidence:.6g} nats of "
                f"{self.num_train_examples:,} examples"
            )
        if self.prior_precision is not None:
            found.append(f"prior precision {self.prior_precision:.4g}")
        if found:
            (print_fn or print)(f"Laplace: {'; '.join(found)}")

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "log_evidence": self.log_evidence,
            "prior_precision": self.prior_precision,
        }
