"""Keras on another backend is told at once."""

import keras
import pytest

from bbh_tf import checks


def test_another_backend_is_refused(monkeypatch):
    checks.check_backend()
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ImportError, match="got 'jax'. Set KERAS_BACKEND="):
        checks.check_backend()
