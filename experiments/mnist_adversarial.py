r"""Attacks trained runs with the fast gradient sign method (Figure 3).

python -m experiments.mnist_adversarial --runs=runs/mnist_methods \
    --data_dir=<TFDS folder> --output_dir=runs/adversarial

Reads the checkpoints of runs that are done. Two attacks: the paper's, which
averages the adversarial images of single draws, and one on the averaged
prediction, within the pixels' range and, for comparison with the paper's,
without it. A run attacked once is not attacked again.
"""

from experiments.robustness import command as adversarial_command

if __name__ == "__main__":
    adversarial_command.start("MNIST")
