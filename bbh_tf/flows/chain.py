"""Flows one after the other."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf.flows import flow as base


@keras.saving.register_keras_serializable(package="bbh_tf.flows")
class Chain(base.Flow):
    """Maps by several flows in turn; log-determinants add up.

    Args:
        flows: list of `Flow`, recipes, the first applied first; none of them
            `MaskedRealNVP`, which takes masks. Of an empty list the map is
            the identity.
        name: name of the layer.

    Raises:
        ValueError: if it is no list of such flows.
    """

    def __init__(self, flows, name=None):
        super().__init__(name=name)
        if not isinstance(flows, (list, tuple)):
            raise ValueError(f"Chain expects a list of flows; got {flows!r}.")
        self.flows = [base.without_masks(flow, "Chain") for flow in flows]

    @property
    def has_inverse(self):
        """Whether all flows have one in one pass."""
        return all(flow.has_inverse for flow in self.flows)

    @property
    def has_scales(self):
        """Whether one of the flows has a scale of each element."""
        return any(flow.has_scales for flow in self.flows)

    def build(self, dim):
        """Builds the flows; see `Flow.build`."""
        super().build(dim)
        for flow in self.flows:
            flow.build(dim)

    def count_parameters(self, dim):
        """Counts the parameters of all flows."""
        return sum(flow.count_parameters(dim) for flow in self.flows)

    def call(self, z):
        """Maps forward; see `Flow.call`."""
        log_det = tf.zeros(tf.shape(z)[:-1])
        for flow in self.flows:
            z, one = flow(z)
            log_det += one
        return z, log_det

    def inverse(self, mapped):
        """Maps back; see `Flow.inverse`."""
        self.check_vectors(mapped)
        log_det = tf.zeros(tf.shape(mapped)[:-1])
        for flow in reversed(self.flows):
            mapped, one = flow.inverse(mapped)
            log_det += one
        return mapped, log_det

    def start_at(self, stds):
        """Sets the scale of the first flow that has one; see `Flow.start_at`.

        Others that have one are set to scales of 1. The rest are taken to be
        permutations or near the identity, as they are at first.
        """
        scaled = [flow for flow in self.flows if flow.has_scales]
        if not scaled:
            return super().start_at(stds)
        first, *others = scaled
        for flow in others:
            flow.start_at(np.ones_like(stds))
        for after in reversed(self.flows[self.flows.index(first) + 1 :]):
            stds = after.order_back(stds)
        return first.start_at(stds)

    def order_back(self, values):
        """Moves values through all flows; see `Flow.order_back`."""
        for flow in reversed(self.flows):
            values = flow.order_back(values)
        return values

    def get_config(self):
        """Returns the constructor's arguments."""
        flows = [keras.saving.serialize_keras_object(x) for x in self.flows]
        for flow in flows:
            # Names are of objects; these are recipes.
            flow["config"].pop("name", None)
        return {"flows": flows, "name": self.name}
