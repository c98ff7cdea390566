"""Networks trained side by side from different beginnings."""

import copy
import functools

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import randomness
from bbh_tf.layers import copying
from bbh_tf.models import cloning
from bbh_tf.models import layer_values
from bbh_tf.models import likelihood_training
from bbh_tf.models import likelihood_variables
from bbh_tf.models import likelihoods
from bbh_tf.models import objective
from bbh_tf.models import outputs
from bbh_tf.models import predictive_model
from bbh_tf.models.ensembles import member_loss
from bbh_tf.models.ensembles import members


@keras.saving.register_keras_serializable(package="bbh_tf.models")
class DeepEnsemble(
    likelihood_training.LikelihoodTraining, predictive_model.PredictiveModel
):
    """Trains copies of a network, and averages their predictions.

    A training step is one step of every member on its own loss

        (1 - w) * nll(x, y) + w * nll(x + epsilon * sign(g), y) + penalties,

    with nll the mean of -log p(y | x) over the batch, g the gradient of
    nll(x, y) with respect to x, and w = `adversarial_weight`; without
    `adversarial_epsilon`, only nll(x, y) + penalties. Members are independent:
    with optimisers that treat variables one by one (all of Keras', except with
    `global_clipnorm`) each is trained as if alone. Draw `k` of the weights is
    member `k`.

    Metrics, besides those given to `compile`, which see the mean prediction:
    `loss` and `nll`, nats per example, means over members; `nll` is that of
    the inputs as they are.

    Args:
        network: a built functional or sequential `keras.Model` with one
            output: the recipe. Members begin from values of their own (it
            warns where the recipe's look trained); layers without trainable
            weights (frozen ones, say) keep the recipe's.
        num_members: number of members, M.
        likelihood: see `bbh_tf.models.BayesianModel`.
        adversarial_epsilon: how far adversarial examples are moved, in units
            of the input; None for no adversarial training.
        adversarial_weight: weight of their loss, from 0 to 1.
        adversarial_clip_range: `(lowest, highest)` value to which they may be
            moved; None for no limit.
        split_batches: whether a batch is split into M equal parts, one for
            each member, which then sees an M-th of the data in an epoch. Each
            batch must have a multiple of M examples, the last one too.
        seed: seed of the members' beginnings; None for a random one. Member
            `k` depends on it and on `k` only. Initialisers that are functions
            draw from where they will.
        num_prediction_samples: members that `predict` and `evaluate` average,
            from the first; None for all. It can be set at any time.
        name: name of the model.

    Raises:
        ValueError: if an argument is invalid.

    Example:

    ```python
    model = bbh_tf.models.DeepEnsemble(network, 10, adversarial_epsilon=0.01)
    model.compile(keras.optimizers.Adam(1e-3), metrics=["accuracy"])
    model.fit(images, labels, batch_size=100, epochs=10)
    probabilities = model.predict(test_images)
    ```

    References:
        Lakshminarayanan et al., Simple and Scalable Predictive Uncertainty
        Estimation using Deep Ensembles, arXiv:1612.01474, Algorithm 1.
    """

    returns_means = True

    def __init__(
        self,
        network,
        num_members=5,
        likelihood="categorical_logits",
        adversarial_epsilon=None,
        adversarial_weight=0.5,
        adversarial_clip_range=None,
        split_batches=False,
        seed=None,
        num_prediction_samples=None,
        name=None,
    ):
        checks.check_count("num_members", num_members)
        if num_prediction_samples is None:
            num_prediction_samples = num_members
        super().__init__(likelihood, num_prediction_samples, name)
        self._member_loss = member_loss.MemberLoss(
            self.likelihood,
            adversarial_epsilon,
            adversarial_weight,
            adversarial_clip_range,
        )
        members.check_network(network)
        outputs.check(self.likelihood, network)
        likelihood_variables.check_none(self.likelihood)
        members.warn_of_training(network)
        self.num_members = int(num_members)
        self.split_batches = checks.flag("split_batches", split_batches)
        self.kept_seed = randomness.KeptSeed(seed)
        self._recipe = keras.saving.serialize_keras_object(network)
        self._recipe.pop("compile_config", None)
        self.members = [
            members.member(network, f"{self.seed} {index}")
            for index in range(self.num_members)
        ]
        self._forwards = {}
        self.build()

    def build(self, input_shape=None):
        """Does nothing: the members are built when they are made."""

    def call(self, inputs, training=None):
        """Averages the members' predictions.

        Args:
            inputs: the network's inputs.
            training: whether layers such as Dropout run in training mode.

        Returns:
            Mean class probabilities `(batch, classes)`, or the mean over
            members of the likelihood's mean; as `predict`.
        """
        return sum(
            self._mean_label(member(inputs, training=training))
            for member in self.members
        ) / len(self.members)

    @objective.after_its_data
    def train_step(self, data):
        """Makes one step of each member; see the class for the loss.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`.

        Returns:
            Dictionary of metrics.

        Raises:
            ValueError: if a batch cannot be split, or inputs that are to be
                moved are not of a float type.
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if y is None:
            raise ValueError("Training needs labels: expected (x, y); got x.")
        parts = [(x, y, sample_weight)] * len(self.members)
        if self.split_batches:
            parts = members.split((x, y, sample_weight), len(self.members))
        num_local = tf.shape(keras.tree.flatten(parts[0])[0])[0]
        num_examples = tf.cast(
            objective.sum_over_replicas(num_local), "float32"
        )
        num_replicas = tf.distribute.get_strategy().num_replicas_in_sync

        losses, nlls, predictions, gradients = [], [], [], []
        for member, part in zip(self.members, parts):
            with tf.GradientTape() as tape:
                nll, cost, penalty, prediction = self._member_loss.terms(
                    tape, member, *part
                )
                # The optimiser adds the gradients of the replicas up.
                loss = cost / num_examples + penalty / num_replicas
                scaled_loss = self.optimizer.scale_loss(loss)
            gradients += tape.gradient(scaled_loss, member.trainable_variables)
            losses.append(loss)
            nlls.append(nll / num_examples)
            predictions.append(prediction)

        variables = [v for m in self.members for v in m.trainable_variables]
        objective.apply_gradients(self, gradients, variables)
        for tracker, values in (
            (self._loss_tracker, losses),
            (self._nll_tracker, nlls),
        ):
            tracker.update_state(
                objective.sum_over_replicas(tf.reduce_mean(values, axis=0)),
                sample_weight=num_local,
            )
        # Means and parts of a batch lose Keras' mask.
        masks = [outputs.mask(x) for x in predictions]
        if self.split_batches:
            prediction = tf.concat(predictions, axis=0)
            mask = None if None in masks else tf.concat(masks, axis=0)
        else:
            prediction = tf.reduce_mean(predictions, axis=0)
            mask = masks[0]
        prediction = likelihoods.with_mask(prediction, mask)
        return self.compute_metrics(x, y, prediction, sample_weight)

    def draws(self, inputs, num_samples, seed):
        for network in self.networks(num_samples, seed):
            yield [network(batch) for batch in inputs]

    def masks(self, inputs):
        network = self.members[0]
        if not outputs.have_mask(network):
            return [None] * len(inputs)
        return [
            outputs.mask(network(batch, training=False)) for batch in inputs
        ]

    def networks(self, num_samples=None, seed=0):
        """Yields the members, as functions.

        Args:
            num_samples: number of members, from the first; None for all.
            seed: accepted as other models do; members are what they are.

        Yields:
            Functions from a batch of inputs to outputs, those of
            `predict_samples`. They can be differentiated.
        """
        for member in self.members[: self._count(num_samples)]:
            # As tensors: variables of a strategy would be the first member's.
            values = [tf.convert_to_tensor(x.value) for x in member.variables]
            yield functools.partial(self._forward(), values=values)

    def _forward(self):
        # One program for all members.
        key = (bool(self.jit_compile), bool(self.run_eagerly))
        if key not in self._forwards:
            network = self.members[0]

            def forward(inputs, values):
                mapping = list(zip(network.variables, values, strict=True))
                with keras.StatelessScope(state_mapping=mapping):
                    outputs = network(inputs, training=False)
                return tf.cast(outputs, tf.float32)

            if not self.run_eagerly:
                forward = tf.function(
                    forward,
                    autograph=False,
                    jit_compile=bool(self.jit_compile),
                    reduce_retracing=True,
                )
            self._forwards[key] = forward
        return self._forwards[key]

    def draw(self, seed=0, index=0):
        """Makes an ordinary Keras model of one member.

        Args:
            seed: accepted as other models do; members are what they are.
            index: number of the member.

        Returns:
            A functional or sequential `keras.Model`, a copy that is not
            trained any further, whose outputs are `predict_samples(x)` at
            `index`.

        Raises:
            ValueError: if `index` is no number of a member.
        """
        checks.check_count("index", index, 0, len(self.members) - 1)
        member = self.members[index]
        drawn, pairs = cloning.clone(member, copying.copy_of)
        for old, new in pairs:
            layer_values.assign(old, new)
        return drawn

    def _count(self, num_samples):
        count = super()._count(num_samples)
        if count > len(self.members):
            raise ValueError(
                "Expected num_samples to be at most the number of members, "
                f"{len(self.members)}; got {count}."
            )
        return count

    def get_config(self):
        """Returns the constructor's arguments."""
        self.check_format()
        return {
            "network": copy.deepcopy(self._recipe),
            "num_members": self.num_members,
            "likelihood": keras.saving.serialize_keras_object(self.likelihood),
            "adversarial_epsilon": self._member_loss.epsilon,
            "adversarial_weight": self._member_loss.weight,
            "adversarial_clip_range": self._member_loss.clip_range,
            "split_batches": self.split_batches,
            "seed": self.seed,
            "num_prediction_samples": self.num_prediction_samples,
            "name": self.name,
        }
