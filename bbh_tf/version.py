"""The version of bbh_tf, kept in one place."""

__version__ = "0.1.0"
