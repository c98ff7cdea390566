"""Compares the methods of Table 4: a ResNet-32 on five classes of CIFAR-10.

The paper's table is `--scale=full`: 200 epochs, for a GPU. The other five
classes are the outliers.
"""

from experiments import table_command

if __name__ == "__main__":
    table_command.start("cifar5_methods")
