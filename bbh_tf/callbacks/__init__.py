"""Callbacks for training."""

from bbh_tf.callbacks.collapse_diagnostic import CollapseDiagnostic

__all__ = ["CollapseDiagnostic"]
