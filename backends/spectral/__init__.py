"""Fourier pseudo-spectral methods on periodic boxes."""

from nablax.backends.spectral.scheme import Spectral, build

__all__ = ["Spectral", "build"]
