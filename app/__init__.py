"""Fullcircle: from a public complaint to the department in charge, and back."""

__version__ = "0.1.0"
