"""φ-functions against multiple precision."""

from math import factorial

import jax
import mpmath as mp
import numpy as np
import pytest

from nablax.backends.stepping.phi import phi, phi_matrix

SIZES = np.concatenate([[0.0], np.logspace(-12, 4, 65), [0.999999, 1.0, 1.000001]])
DIRECTIONS = {
    "decay": -1.0,
    "growth": 1.0,
    "oscillation": 1.0j,
    "damped": np.exp(2.6j),
    "mostly damped": np.exp(1.8j),
}


def exact(z: complex) -> list[complex]:
    """e^z, φ1, φ2, φ3 in 60 digits."""
    with mp.workdps(60):
        w = mp.mpc(z)
        if w == 0:
            return [complex(1 / mp.factorial(k)) for k in range(4)]
        values = [mp.exp(w)]
        with mp.workdps(160):
            w = mp.mpc(z)
            value = mp.exp(w)
            for k in range(3):
                value = (value - 1 / mp.factorial(k)) / w
                values.append(+value)
        return [complex(v) for v in values]


@pytest.mark.parametrize("name", DIRECTIONS)
def test_relative_error(name: str) -> None:
    sizes = SIZES[SIZES < 600] if name == "growth" else SIZES
    z = sizes * DIRECTIONS[name]
    got = [np.asarray(a) for a in jax.jit(phi)(z)]
    wanted = np.array([exact(complex(v)) for v in z]).T
    for k in range(1, 4):
        # φ1 vanishes at multiples of 2πi: there the error is measured against |1/z|, its size around.
        scale = np.maximum(np.abs(wanted[k]), 1 / np.maximum(np.abs(z), 1) if name == "oscillation" else 0)
        assert np.max(np.abs(got[k] - wanted[k]) / scale) < 1e-14
    if name in ("decay", "growth"):
        assert all(a.dtype == np.float64 for a in got)


def test_values_at_zero_and_derivatives() -> None:
    got = phi(np.zeros(1))
    assert [float(a[0]) for a in got] == [1.0, 1.0, 0.5, 1 / 6]
    slopes = [jax.grad(lambda z, k=k: phi(z[None])[k][0])(np.float64(0)) for k in range(4)]
    np.testing.assert_allclose(slopes, [1 / factorial(k + 1) for k in range(4)], rtol=1e-15)


@pytest.mark.parametrize("size", [0.0, 1e-8, 0.3, 5.0, 300.0, 3e4])
def test_matrices_of_waves(size: float) -> None:
    # [[0, 1], [-w², 0]]: φ_k of ±iw gives every entry, however far ‖a‖ is above w.
    w = size
    a = np.array([[0.0, 1.0], [-w * w, 0.0]])[:, :, None]
    got = [np.asarray(p)[:, :, 0] for p in jax.jit(phi_matrix)(a)]
    for k, p in enumerate(got):
        even, odd = _even_odd(k, w)
        wanted = np.array([[even, odd], [-w * w * odd, even]])
        size = 1 / max(w, 1) if k else 1.0  # |φ_k(iw)| for large w
        scale = size * np.array([[1, 1 / max(w, 1)], [max(w, 1e-300), 1]])
        assert np.max(np.abs(p - wanted) / scale) < 2e-13 * max(1.0, w / 10)


def _even_odd(k: int, w: float) -> tuple[float, float]:
    """φ_k(iw) = even + i w odd."""
    value = exact(1j * w)[k]
    return value.real, (value.imag / w if w else 1 / factorial(k + 1))


def test_matrices_of_very_different_size_in_one_batch() -> None:
    decays = np.array([1e-6, 0.1, 3.0, 1e3, 1e6])
    zero = np.zeros_like(decays)
    a = np.array([[-decays, decays / 2], [zero, -decays]])
    got = [np.asarray(p) for p in jax.jit(phi_matrix)(a)]
    for k, p in enumerate(got):
        wanted = np.array([exact(-d)[k].real for d in decays])
        np.testing.assert_allclose(p[0, 0], wanted, rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(p[1, 1], wanted, rtol=1e-12, atol=1e-300)
