"""Which Fourier modes of a field are kept, in what order, and the transforms between nodes and modes.

A real field keeps the half spectrum on the last axis, a complex one the full spectrum. Modes that
dealiasing cuts are not stored at all: the arrays are smaller, and no mask is needed anywhere. Along a
full axis the order is 0, 1, ..., K, -K, ..., -1. Coefficients are unnormalised sums, as `rfftn` gives them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, pi, prod

import jax.numpy as jnp
from jax import Array, lax

from nablax.plan import GridAxis, Plan


@dataclass(frozen=True, slots=True)
class ModeAxis:
    """Modes of one axis of n points. `highest` is the largest kept |m|; None keeps all n."""

    n: int
    length: float
    highest: int | None
    half: bool

    @property
    def modes(self) -> int:
        if self.half:
            return self.n // 2 + 1 if self.highest is None else self.highest + 1
        return self.n if self.highest is None else 2 * self.highest + 1

    @property
    def nyquist(self) -> int | None:
        """The index of the mode n/2, whose sign cannot be told; None where it is not kept."""
        return self.n // 2 if self.highest is None and self.n % 2 == 0 and self.n > 1 else None


@dataclass(frozen=True, slots=True)
class Layout:
    """`axes` has one entry per space axis. `real`: nodal arrays are real, `precision` is their dtype."""

    axes: tuple[ModeAxis, ...]
    real: bool
    precision: str

    @property
    def nodes(self) -> tuple[int, ...]:
        return tuple(a.n for a in self.axes)

    @property
    def modes(self) -> tuple[int, ...]:
        return tuple(a.modes for a in self.axes)

    @property
    def count(self) -> int:
        return prod(self.nodes)

    @property
    def complex_precision(self) -> str:
        return "complex64" if self.precision == "float32" else "complex128"

    def index(self, axis: int) -> Array:
        """Signed mode numbers along an axis, int32, of broadcastable shape."""
        a = self.axes[axis]
        m = lax.broadcasted_iota("int32", self._shape(axis, a.modes), axis)
        if a.half:
            return m
        last_positive = (a.n - 1) // 2 if a.highest is None else a.highest
        return jnp.where(m <= last_positive, m, m - a.modes)

    def wavenumber(self, axis: int) -> Array:
        """2π m / length along an axis, of broadcastable shape."""
        return self.index(axis).astype(self.precision) * (2 * pi / self.axes[axis].length)

    def is_nyquist(self, axis: int) -> Array:
        """Where the mode n/2 of an axis sits, of broadcastable shape."""
        a = self.axes[axis]
        assert a.nyquist is not None
        return jnp.equal(lax.broadcasted_iota("int32", self._shape(axis, a.modes), axis), a.nyquist)

    def is_origin(self) -> Array:
        """Where every wavenumber is zero; shape `modes`."""
        found = self.index(0) == 0
        for axis in range(1, len(self.axes)):
            found = found & (self.index(axis) == 0)
        return found

    def weights(self) -> Array:
        """How many modes of the full spectrum each stored one stands for, of broadcastable shape."""
        axis = len(self.axes) - 1
        a = self.axes[axis]
        if not a.half:
            return jnp.ones(self._shape(axis, a.modes), self.precision)
        m = self.index(axis)
        alone = (m == 0) | (m == (a.n // 2 if a.nyquist is not None else 0))
        return jnp.where(alone, 1.0, 2.0).astype(self.precision)

    def _shape(self, axis: int, size: int) -> tuple[int, ...]:
        return tuple(size if i == axis else 1 for i in range(len(self.axes)))

    def forward(self, u: Array) -> Array:
        """Nodal values to kept modes."""
        y: Array
        if self.real:
            y = lax.fft(u, "RFFT", self.nodes)
        else:
            y = lax.fft(u.astype(self.complex_precision), "FFT", self.nodes)
        # The half axis first: XLA leaves the last slice to the readers, and keeps what it is cut from.
        for axis, a in reversed(list(enumerate(self.axes))):
            if a.highest is None:
                continue
            positive = lax.slice_in_dim(y, 0, a.highest + 1, axis=axis)
            if a.half:
                y = positive
            else:
                negative = lax.slice_in_dim(y, a.n - a.highest, a.n, axis=axis)
                y = jnp.concatenate([positive, negative], axis=axis)
        return y

    def inverse(self, y: Array) -> Array:
        """Kept modes to nodal values: real, or complex for a full spectrum."""
        for axis, a in enumerate(self.axes):
            if a.highest is None:
                continue
            if a.half:
                widths = [(0, 0, 0)] * len(self.axes)
                widths[axis] = (0, a.n // 2 - a.highest, 0)
                y = lax.pad(y, jnp.zeros((), y.dtype), widths)
            else:
                shape = tuple(a.n - a.modes if i == axis else s for i, s in enumerate(y.shape))
                positive = lax.slice_in_dim(y, 0, a.highest + 1, axis=axis)
                negative = lax.slice_in_dim(y, a.highest + 1, a.modes, axis=axis)
                y = jnp.concatenate([positive, jnp.zeros(shape, y.dtype), negative], axis=axis)
        u: Array = lax.fft(y, "IRFFT" if self.real else "IFFT", self.nodes)
        return u

    def hermitian(self, y: Array) -> Array:
        """The modes of the real part of what y stands for.

        A half spectrum holds both a mode and its conjugate where the last wavenumber is 0 (or n/2). Their
        disagreement is invisible at the nodes: no nonlinear term would hold back its growth from rounding
        under an unstable linear part. A full spectrum of a real field is treated everywhere.
        """
        if not self.real:
            return (y + self._mirrored(y, range(y.ndim))) / 2
        if y.ndim == 1:
            return y
        last = y.ndim - 1
        columns = [slice(0, 1), slice(1, None)]
        if self.axes[last].nyquist is not None:
            columns = [slice(0, 1), slice(1, -1), slice(-1, None)]
        parts = [y[..., c] for c in columns]
        for i in (0, 2)[: len(parts) - 1]:
            parts[i] = (parts[i] + self._mirrored(parts[i], range(last))) / 2
        return jnp.concatenate(parts, axis=last)

    def _mirrored(self, y: Array, axes: Iterable[int]) -> Array:
        """The conjugate of the mode with the opposite wavenumbers."""
        along = tuple(axes)
        return jnp.conj(jnp.roll(jnp.flip(y, along), (1,) * len(along), along))


def layout_of(plan: Plan) -> Layout:
    """Full spectra as soon as one unknown is complex, so that coupled symbols have one shape."""
    real = not any(u.complex for u in plan.system.unknowns)
    last = len(plan.grid) - 1
    axes = tuple(
        ModeAxis(a.n, a.length, _highest(a, kept), real and i == last)
        for i, (a, kept) in enumerate(zip(plan.grid, plan.dealias, strict=True))
    )
    return Layout(axes, real, plan.dtype)


def _highest(axis: GridAxis, kept: float) -> int | None:
    # A product of d factors is free of aliases on |m| <= K exactly when (d + 1) K < n: strictly below.
    return None if kept >= 1.0 else max(0, ceil(kept * axis.n / 2 - 1e-9) - 1)
