"""Where a compiled model's variables were, to train it anew from there."""


class Snapshot:
    """Keeps the values of a model's variables, and of its optimiser's.

    Args:
        model: a compiled Keras model whose optimiser is built.
    """

    def __init__(self, model):
        variables = [*model.variables, *model.optimizer.variables]
        unique = {id(variable): variable for variable in variables}
        self._values = [(v, v.numpy()) for v in unique.values()]

    def restore(self):
        """Puts all of them back."""
        for variable, value in self._values:
            variable.assign(value)
