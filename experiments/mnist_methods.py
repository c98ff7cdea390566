"""Compares the methods of Table 3: error and uncertainty.

The paper's table is `--dataset=mnist --scale=full`; `--dataset=digits` needs
no data and takes minutes.
"""

from experiments import table_command

if __name__ == "__main__":
    table_command.start("mnist_methods")
