"""Checkpoints of a training run: whole, or the one before."""

import numpy as np

from experiments import files
from experiments import model_files

# Layers of its own, which a checkpoint may hold, are known by importing it.
from experiments import released_code  # noqa: F401
from experiments.errors import ExperimentError


class Checkpoints:
    """Keeps the last checkpoint of a run in its folder.

    A checkpoint is a model file and `state.json`, which names it. Each is
    written beside its place and renamed, the model first, so that a process
    killed at any moment leaves a state that names a whole model.

    Args:
        folder: the run's folder, a `pathlib.Path`.
    """

    def __init__(self, folder):
        self._folder = folder
        self._state_file = folder / "state.json"

    @property
    def kept(self):
        """Says what is left of a run that fails."""
        if self._state_file.exists():
            return "The last checkpoint is kept."
        return "There is no checkpoint yet; --checkpoint_seconds says when."

    def load(self):
        """Returns `(model, state)` of the last checkpoint, or None.

        Raises:
            ExperimentError: if it cannot be read.
        """
        if not self._state_file.exists():
            return None
        state = files.read_json(
            self._state_file,
            ("step", "model"),
            "the state of a run at a step; another version wrote this. Choose "
            "another folder",
        )
        return model_files.load(
            self._folder / state["model"], "a checkpoint"
        ), state

    def save(self, model, state):
        """Writes a checkpoint, then removes the one before.

        Args:
            model: a compiled `keras.Model`.
            state: dictionary of what else training needs, for JSON, with the
                number of steps done as `"step"`.

        Raises:
            ExperimentError: if the disk is full, or a weight is not finite;
                the checkpoint before stays.
        """
        for variable in model.variables:
            if not _is_finite(variable):
                raise ExperimentError(
                    f"{self._folder}: {variable.path} is not finite after step "
                    f"{state['step']}; expected finite weights. "
                    f"{self.kept}"
                )
        name = f"checkpoint_{state['step']}.keras"
        with files.replacing(self._folder / name) as path:
            model.save(path)
        files.write_json(self._state_file, {**state, "model": name})
        for path in self._folder.glob("*checkpoint_*.keras"):
            if path.name != name:
                path.unlink()

    def remove(self):
        """Removes the checkpoint; first what names it, so that none is half."""
        self._state_file.unlink(missing_ok=True)
        for path in self._folder.glob("*checkpoint_*.keras"):
            path.unlink()


def _is_finite(variable):
    # A sum is not finite where an element is not, and takes no memory.
    with np.errstate(invalid="ignore"):
        return np.isfinite(np.sum(variable, dtype=np.float64))
