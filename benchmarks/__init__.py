"""Timings against peers and hand-written programs, as ratios within one run: `make bench`."""
