"""A newsletter of the day's machine-learning papers."""

__version__ = "0.1.0"
