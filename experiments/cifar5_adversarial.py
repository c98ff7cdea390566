r"""Attacks trained ResNets with the fast gradient sign method (Figure 4).

python -m experiments.cifar5_adversarial --runs=runs/cifar5_methods \
    --data_dir=<TFDS folder> --output_dir=runs/cifar5_adversarial

As `experiments.mnist_adversarial`; what is attacked is the standardised crop
that the network sees, and epsilon is in its units. The authors' code
standardises once more after the attack, which takes a part of it back; this
does not.
"""

from experiments.robustness import command as adversarial_command

if __name__ == "__main__":
    adversarial_command.start("CIFAR5")
