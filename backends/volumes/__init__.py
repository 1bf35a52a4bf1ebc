"""Conservative finite volumes: cell averages, reconstructed to the faces, upwinded by wave speeds."""

from nablax.backends.volumes.scheme import build

__all__ = ["build"]
