"""What `tf.train.Checkpoint` is told of the library's layers and models."""


class Checkpointed:
    """Names all its variables to `tf.train.Checkpoint` once it is built.

    Keras tracks variables and layers in lists, TensorFlow does not: without
    this, a checkpoint would leave them out and say that all is well. A part
    of a class, before `keras.layers.Layer` among its bases.
    """

    def _post_build(self):
        super()._post_build()
        # A checkpoint that was read before there were variables.
        for name, variable in self._named_variables().items():
            self._handle_deferred_dependencies(name=name, trackable=variable)

    def _trackable_children(self, save_type="checkpoint", **kwargs):
        children = super()._trackable_children(save_type, **kwargs)
        if save_type == "checkpoint":
            children = {**children, **self._named_variables()}
        return children

    def _lookup_dependency(self, name, cached_dependencies=None):
        found = super()._lookup_dependency(name, cached_dependencies)
        return self._named_variables().get(name) if found is None else found

    def _named_variables(self):
        if not getattr(self, "built", False):
            return {}
        variables = [v for v in self.variables if id(v) not in self._unnamed()]
        return {f"variable_{i}": v for i, v in enumerate(variables)}

    def _unnamed(self):
        """Returns ids of variables that are arguments, and no state."""
        return ()
