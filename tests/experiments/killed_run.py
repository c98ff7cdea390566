"""Table 3's command, for killed_run_test.py to kill.

It writes a checkpoint after every step, so that many a kill hits a write.
"""

from experiments import table_command
from experiments import training

if __name__ == "__main__":
    training._CHECKPOINT_SHARE = float("inf")
    table_command.start("mnist_methods")
