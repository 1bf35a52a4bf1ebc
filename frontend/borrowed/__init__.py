"""Notations of other tools, answered with the one of this language."""
