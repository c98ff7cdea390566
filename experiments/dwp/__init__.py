"""What the experiments on the deep weight prior share."""
