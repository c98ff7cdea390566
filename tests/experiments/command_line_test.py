"""Tests for how commands start."""

import logging

from absl import app

from experiments import command_line


def test_no_command_warns_of_models_that_are_traced_anew(monkeypatch):
    logger = logging.getLogger("tensorflow")
    monkeypatch.setattr(app, "run", lambda *args, **kwargs: None)
    level = logger.level
    try:
        logger.setLevel(logging.WARNING)
        command_line.start(lambda: None)
        assert not logger.isEnabledFor(logging.WARNING)
        assert logger.isEnabledFor(logging.ERROR)
    finally:
        logger.setLevel(level)
