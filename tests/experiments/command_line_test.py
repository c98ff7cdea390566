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


def test_a_disk_that_cannot_be_written_is_told_in_one_line(capsys, monkeypatch):
    def fail():
        raise OSError(28, "No space left on device", "a.npz")

    told = []
    monkeypatch.setattr(app, "run", lambda main, **_: told.append(main(["a"])))
    command_line.start(fail)
    assert told == [1]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: expected files that can be read and written")
    assert "No space left on device: 'a.npz'" in line
