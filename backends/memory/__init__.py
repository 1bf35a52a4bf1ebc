"""Steppers whose derivatives in time remember the past, and what they remember it by."""
