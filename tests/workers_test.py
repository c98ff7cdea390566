"""What is said where a worker is lost, and nothing where there is one."""

import pytest
import tensorflow as tf

from bbh_tf import workers


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            "{{function_node x}} Collective ops is aborted by: closed:\nMore",
            "(Collective ops is aborted by: closed)",
        ),
        (
            "{{function_node x}} Connection reset by peer\n"
            "\t [[{{node y}}]] [Op:__inference_step_1]",
            "(Connection reset by peer)",
        ),
        ("{{function_node x}}", "(UnavailableError)"),
    ],
)
def test_a_lost_worker_is_told_in_one_line(monkeypatch, message, reason):
    monkeypatch.setattr(workers, "are_several", lambda strategy: True)
    with pytest.raises(ConnectionError, match="A worker is lost") as caught:
        with workers.watched():
            raise tf.errors.UnavailableError(None, None, message)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_process_keeps_tensorflow_s_error_and_its_own_integers():
    with pytest.raises(tf.errors.UnavailableError):
        with workers.watched():
            raise tf.errors.UnavailableError(None, None, "gone")
    assert workers.is_chief() and not workers.are_several()
    assert workers.of_all(7) == [7] and workers.of_chief(True) == 1
