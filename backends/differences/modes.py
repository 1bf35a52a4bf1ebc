"""Bases of eigenvectors along the axes of a box, and the transforms to and from their modes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from numpy.typing import NDArray

from nablax.backends.differences import trigonometric
from nablax.backends.differences.contraction import along
from nablax.backends.differences.layout import Region

Spectrum = NDArray[np.inexact]


@dataclass(frozen=True, eq=False, slots=True)
class Basis:
    """Eigenvectors along one axis and the (diagonal) operators in them.

    `forward` and `backward` are None on periodic axes, where the FFT stands for them, on axes with a
    `waves` transform, and on axes along which nothing is inverted; `transformed` tells these apart.
    `spectra[m]` belongs to the derivative of order m and is in FFT order on periodic axes; `symbols` are
    the same numbers as a program brings them.
    """

    periodic: bool
    transformed: bool
    forward: Spectrum | Array | None
    backward: Spectrum | Array | None
    spectra: Mapping[int, Spectrum]
    exact: bool
    waves: trigonometric.Kind | None = None
    symbols: Mapping[int, Array] | None = None

    @property
    def flattest(self) -> int:
        """The index of the mode nearest to a constant: the constant itself where its derivative is zero.

        Odd derivatives do not tell: between walls that mirror each other their diagonal is rounding.
        """
        orders = sorted(self.spectra, key=lambda m: (m % 2, -m))
        return int(np.argmin(np.abs(self.spectra[orders[0]])))


@dataclass(frozen=True, eq=False, slots=True)
class Lines:
    """Differences along an axis that begins at a centre, which no modes take apart: see `radial`.

    `matrices` holds by unknown and order of the derivative those for Fourier modes of even and of odd number
    along the axis `turn`; the first stands alone where there is no such axis.
    """

    axis: int
    turn: int | None
    matrices: Mapping[tuple[int, int], tuple[Spectrum | Array, Spectrum | Array]]


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Unknowns solved for together, with one basis per axis.

    `exact` says that the modal solve inverts the operator itself, given its constant coefficients.
    """

    members: tuple[int, ...]
    region: Region
    bases: tuple[Basis, ...]
    exact: bool
    lines: Lines | None = None

    @property
    def lacks_modes(self) -> bool:
        """Whether operators along some axis have no eigenvectors that could be used."""
        return any(not (b.transformed or b.exact) for b in self.bases)


def matrices(groups: Sequence[Group], title: str) -> dict[str, Spectrum]:
    """The dense eigenvectors of all bases, their inverses and the spectra, by names under `title`."""
    found: dict[str, Spectrum] = {}
    for name, basis in _named(groups, title):
        found |= {f"{name}/{m}": values for m, values in basis.spectra.items()}
        if basis.forward is not None and basis.backward is not None:
            found |= {
                f"{name}/forward": np.asarray(basis.forward),
                f"{name}/backward": np.asarray(basis.backward),
            }
    for name, lines in _lined(groups, title):
        for key, pair in lines.matrices.items():
            found |= {_named_line(name, key, i): np.asarray(m) for i, m in enumerate(pair)}
    return found


def carried(groups: Sequence[Group], title: str, params: Mapping[str, Array]) -> tuple[Group, ...]:
    """The groups with their numbers as `params` brings them: arguments of a program, where they would be
    constants in it that the compiler has to chew. Those it does not bring stay."""

    def known(name: str, matrix: Spectrum | Array | None) -> Spectrum | Array | None:
        given = params.get(name)
        return matrix if given is None else lax.stop_gradient(given)

    def bound(name: str, b: Basis) -> Basis:
        ahead, back = known(f"{name}/forward", b.forward), known(f"{name}/backward", b.backward)
        symbols = {m: jnp.asarray(known(f"{name}/{m}", values)) for m, values in b.spectra.items()}
        return replace(b, forward=ahead, backward=back, symbols=symbols)

    def drawn(name: str, lines: Lines) -> Lines:
        brought = {}
        for key, pair in lines.matrices.items():
            even, odd = (known(_named_line(name, key, i), m) for i, m in enumerate(pair))
            assert even is not None
            assert odd is not None
            brought[key] = (even, odd)
        return replace(lines, matrices=brought)

    bases = iter([bound(name, b) for name, b in _named(groups, title)])
    lines = iter([drawn(name, line) for name, line in _lined(groups, title)])
    return tuple(
        replace(g, bases=tuple(next(bases) for _ in g.bases), lines=None if g.lines is None else next(lines))
        for g in groups
    )


def _lined(groups: Sequence[Group], title: str) -> list[tuple[str, Lines]]:
    return [(f"{title}/{i}/line", g.lines) for i, g in enumerate(groups) if g.lines is not None]


def _named_line(name: str, key: tuple[int, int], parity: int) -> str:
    return f"{name}/{key[0]}/{key[1]}/{parity}"


def _named(groups: Sequence[Group], title: str) -> list[tuple[str, Basis]]:
    return [(f"{title}/{i}/{k}", b) for i, g in enumerate(groups) for k, b in enumerate(g.bases)]


def last(group: Group) -> int:
    """The axis of the half-length real transform: the last periodic one that is transformed."""
    found = [k for k, b in enumerate(group.bases) if b.periodic and b.transformed]
    return found[-1] if found else -1


def halved(group: Group, symbol: Array, half: bool) -> Array:
    """A symbol over all modes, cut to those of the half-length real transform."""
    k = last(group)
    if not half or k < 0 or symbol.ndim == 0 or symbol.shape[k] == 1:
        return symbol
    return lax.slice_in_dim(symbol, 0, symbol.shape[k] // 2 + 1, axis=k)


def forward(group: Group, array: Array, half: bool, dtype: jnp.dtype) -> Array:
    for k, basis in enumerate(group.bases):
        if basis.forward is not None:
            array = along(basis.forward, array, k, dtype)
        elif basis.waves is not None:
            array = trigonometric.forward(basis.waves, array, k)
    axes = [k for k, b in enumerate(group.bases) if b.periodic and b.transformed]
    if not axes:
        return array
    return jnp.fft.rfftn(array, axes=axes) if half else jnp.fft.fftn(array, axes=axes)


def backward(
    group: Group, array: Array, shape: tuple[int, ...], half: bool, dtype: jnp.dtype, real: bool
) -> Array:
    axes = [k for k, b in enumerate(group.bases) if b.periodic and b.transformed]
    if axes:
        array = (
            jnp.fft.irfftn(array, s=[shape[k] for k in axes], axes=axes)
            if half
            else jnp.fft.ifftn(array, axes=axes)
        )
    for k, basis in enumerate(group.bases):
        if basis.backward is not None:
            array = along(basis.backward, array, k, dtype)
        elif basis.waves is not None:
            array = trigonometric.backward(basis.waves, array, k)
    return jnp.real(array) if real and jnp.iscomplexobj(array) else array
