"""Two tasks in turn, as a person calls the command."""

import pytest

from tests.experiments import commands


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--output_dir: expected a folder; got none."),
        (["--output_dir=a", "--seeds=0,x"], "whole numbers from 0; got 0,x."),
        (["--output_dir=a", "--methods=map"], "some of bbb, bbh; got map."),
    ],
)
def test_wrong_flags_are_told_in_one_line(flags, message):
    commands.check_refused(commands.call("digits_in_turn", *flags), message)
