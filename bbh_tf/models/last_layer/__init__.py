"""What can be had exactly, a network being linear in its last layer."""
