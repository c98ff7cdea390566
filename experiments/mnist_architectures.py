"""Compares the hypernetworks of Table 1, all with shared noise.

One for the whole network, in 130 slices; one for each tensor, slice by slice;
one for each tensor as a whole. The paper's table is `--dataset=mnist
--scale=full`.
"""

from experiments import table_command

if __name__ == "__main__":
    table_command.start("mnist_architectures")
