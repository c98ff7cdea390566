"""How a run is executed."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Execution:
    """What may change the speed of a run and, but for rounding, nothing else.

    A run may go on under another one than it began with.

    Attributes:
        checkpoint_seconds: least time between two checkpoints.
        steps_per_execution: training steps that TensorFlow takes before Python
            looks on; a divisor of the steps of an epoch.
        jit: whether XLA compiles the training step and predictions.
        strategy: one of `strategies.STRATEGIES`. Methods with noise of its own
            for each example have other noise under several replicas.
    """

    checkpoint_seconds: float = 60.0
    steps_per_execution: int = 1
    jit: bool = False
    strategy: str = "auto"
