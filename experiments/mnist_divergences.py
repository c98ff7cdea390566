"""Compares the estimates of the KL of Table 5, on Bayes by Backprop.

The last row is of this library: a nearest-neighbour entropy with the prior's
own density. The paper's table is `--dataset=mnist --scale=full`.
"""

from experiments import table_command

if __name__ == "__main__":
    table_command.start("mnist_divergences")
