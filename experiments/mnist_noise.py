"""Compares the hypernetworks' noise of Table 2.

Shared by all hypernetworks or independent, of 1 or 8 dimensions. The paper's
table is `--dataset=mnist --scale=full`.
"""

from experiments import table_command

if __name__ == "__main__":
    table_command.start("mnist_noise")
