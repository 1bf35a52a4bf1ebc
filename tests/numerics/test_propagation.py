"""Linear equations with memory by Mittag-Leffler functions of their modes, against closed forms."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import nablax
from nablax.backends.frames import Frame
from nablax.fractional_calculus import contour
from nablax.fractional_calculus.special import mittag_leffler as reference

TEXT = """
space { AXES }
time { t in [0, 1] }
fields { u KIND }
params { a = ORDER }
equations { EQUATION }
initial { INITIAL }
boundary { WALLS }
solve { n = 12; order = 2; OPTIONS }
"""
PERIODIC = "x in [0, 2*pi] periodic"
WALLED = "x in [0, pi]"
X = 2 * np.pi * np.arange(12) / 12


def problem(equation, initial, order="0.6", axes=PERIODIC, walls="", kind="", options=""):
    text = TEXT.replace("AXES", axes).replace("KIND", kind).replace("ORDER", order)
    text = text.replace("EQUATION", equation).replace("INITIAL", initial).replace("OPTIONS", options)
    text = text.replace("boundary { WALLS }", f"boundary {{ {walls} }}" if walls else "")
    return nablax.parse(text.replace("order = 2; ", "") if axes == PERIODIC else text)


def e(alpha, beta, z):
    return complex(contour.mittag_leffler_complex(np, *map(np.asarray, (alpha, beta, complex(z)))))


@pytest.mark.parametrize("alpha", [0.2, 0.9, 1.0, 1.5, 1.95])
def test_complex_arguments(alpha):
    for beta in (1.0, alpha, alpha + 1):
        for radius in (1e-3, 0.5, 3.0):
            for angle in (0.0, 1.0, 2.5, np.pi, -2.9):
                z = radius * np.exp(1j * angle)
                if radius ** (1 / alpha) > 40:
                    continue
                wanted = complex(reference(mpmath.mpf(alpha), mpmath.mpf(beta), mpmath.mpc(z)))
                assert abs(e(alpha, beta, z) - wanted) < 1e-12 * max(1, abs(wanted))


def test_modes_between_diffusion_and_waves_with_a_source_and_a_rate():
    """Of u = sin x + .. with the source cos x and, above order 1, the rate cos 2x."""
    slow = problem("caputo(u, t, a) = dxx(u) + cos(x)", "u = sin(x)").compile()
    assert slow.plan.stepping.name == "mittag_leffler"
    found = slow.solve(save_at=[0.3, 1.0]).fields["u"]
    for i, t in enumerate((0.3, 1.0)):
        z = -(t**0.6)
        wanted = e(0.6, 1, z).real * np.sin(X) + t**0.6 * e(0.6, 1.6, z).real * np.cos(X)
        assert np.abs(np.asarray(found[i]) - wanted).max() < 1e-13
    fast = problem("2*caputo(u, t, a) = dxx(u)", "u = sin(x); dt(u) = cos(2*x)", "1.5").compile()
    frames = [f for f in fast.stream() if isinstance(f, Frame)]
    wanted = e(1.5, 1, -0.5).real * np.sin(X) + e(1.5, 2, -2.0).real * np.cos(2 * X)
    assert np.abs(frames[-1].fields["u"] - wanted).max() < 1e-13
    middle = frames[50].state
    assert middle is not None
    again = [f for f in fast.stream(initial=middle) if isinstance(f, Frame)]
    assert np.array_equal(again[-1].fields["u"], frames[-1].fields["u"])


def test_complex_symbols():
    """A fractional Schrödinger equation that drifts: λ = -4i + 2i of the mode exp(2ix)."""
    run = problem("caputo(u, t, a) = i*dxx(u) + dx(u)", "u = exp(2*i*x)", kind=": complex").compile()
    wanted = e(0.6, 1, -2j) * np.exp(2j * X)
    assert np.abs(np.asarray(run.solve(save_at=[1.0]).fields["u"][0]) - wanted).max() < 1e-12


@pytest.mark.parametrize("order", ["0.6", "1.5"])
def test_walls_that_hold_a_value(order):
    """1 + sin x is a steady part and an eigenvector of the differences of order 2."""
    initial = "u = 1 + sin(x)" + ("; dt(u) = 0" if order == "1.5" else "")
    run = problem("caputo(u, t, a) = dxx(u)", initial, order, WALLED, "all: u = 1").compile()
    x, alpha = np.linspace(0, np.pi, 13), float(order)
    rate = -((2 * np.sin(x[1] / 2) / x[1]) ** 2)
    wanted = 1 + e(alpha, 1, rate).real * np.sin(x)
    assert np.abs(np.asarray(run.solve(save_at=[1.0]).fields["u"][0]) - wanted).max() < 1e-12


def test_other_walls_go_to_rest():
    """With a Robin wall, t → ∞ leaves the steady solution of the differences: x(7 - x) for a source of 2."""
    axes, walls = "x in [0, 1]", "x = 0: u = 0; x = 1: dn(u) + 2*u = 17"
    run = problem("caputo(u, t, a) = dxx(u) + 2", "u = 0", "0.5", axes, walls).compile()
    x = np.linspace(0, 1, 13)
    late = nablax.parse(
        problem("caputo(u, t, a) = dxx(u) + 2", "u = 0", "0.5", axes, walls).source.text.replace(
            "t in [0, 1]", "t in [0, 1e24]"
        )
    ).compile()
    assert run.plan.stepping.name == late.plan.stepping.name == "mittag_leffler"
    assert np.abs(np.asarray(late.solve(save_at=[1e24]).fields["u"][0]) - x * (7 - x)).max() < 1e-9


def test_derivatives_in_the_order():
    run = problem("caputo(u, t, a) = dxx(u)", "u = sin(x)").compile()

    def end(a):
        return jnp.sum(run.solve({"a": a}, save_at=[0.5, 1.0]).fields["u"] ** 2)

    slope = float(jax.grad(end)(0.6))
    assert abs(slope - float(end(0.6 + 1e-5) - end(0.6 - 1e-5)) / 2e-5) < 1e-8


@pytest.mark.parametrize(
    ("equation", "options", "stepper"),
    [
        ("caputo(u, t, a) = dxx(u) - u^3", "", "l1"),
        ("caputo(u, t, a) = dxx(u) + t*sin(x)", "", "l1"),
        ("caputo(u, t, a) = cos(x)*dxx(u)", "", "l1"),
        ("caputo(u, t, a) + dt(u) = dxx(u)", "", "l1"),
        ("caputo(u, t, a) = dxx(u)", "dt = 0.1", "l1"),
        ("caputo(u, t, a) = dxx(u)", "memory = direct", "l1"),
        ("caputo(u, t, a) = dxx(u)", "step = cq", "cq"),
        ("caputo(u, t, a) = dxx(u) + 3*dx(u)", "", "mittag_leffler"),
    ],
)
def test_who_is_propagated(equation, options, stepper):
    assert problem(equation, "u = sin(x)", options=options).compile().plan.stepping.name == stepper
