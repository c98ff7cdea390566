"""What stops an experiment, told in one line."""


class ExperimentError(Exception):
    """A mistake in flags, files or numbers that a person can mend."""
