"""The version, alone: whoever names it loads nothing else."""

__version__ = "0.1.0"
