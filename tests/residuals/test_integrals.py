"""Integral terms of networks, against antiderivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.derivatives.account import account


def spec(equation, space="x in [0, 2]", train=""):
    return nablax.parse(
        f"space {{ {space} }}\ntime {{ t in [0, 1] }}\nfields {{ u }}\nequations {{ {equation} }}\n"
        f"initial {{ u = 0 }}\nboundary {{ all: u = 0 }}\n{train}".replace(
            "boundary { all: u = 0 }\n" if "periodic" in space else "\0", ""
        )
    )


X = jnp.linspace(0.1, 1.9, 7)
T = jnp.linspace(0.2, 0.8, 7)

LINES = {
    "whole": ("dt(u) = u*integral(dx(u)^2)", lambda x, t: jnp.sin(x) * t * t**2 * (1 + jnp.sin(4.0) / 4)),
    "mean": ("dt(u) = mean(u)", lambda x, t: t * (1 - jnp.cos(2.0)) / 2),
    "running": ("dt(u) = integral(u, x, 0, x)", lambda x, t: t * (1 - jnp.cos(x))),
    "to the end": ("dt(u) = integral(u, x, x, 2)", lambda x, t: t * (jnp.cos(x) - jnp.cos(2.0))),
    "kernel": (
        "dt(u) = integral((x - y)*u, y, 0, x)",
        lambda x, t: t * (x - jnp.sin(x)),
    ),
    "nested": ("dt(u) = integral(u*integral(u))", lambda x, t: t**2 * (1 - jnp.cos(2.0)) ** 2),
}


@pytest.mark.parametrize("case", LINES)
def test_against_antiderivatives(case):
    """u = t sin(x): dt(u) - the integral."""
    equation, right = LINES[case]
    problem = spec(equation)
    field = nablax.field(problem, lambda a, z: (a * z[1] * jnp.sin(z[0]))[None], jnp.ones(()))
    found = problem.residual(field)(field.params, {"x": X, "t": T})["equation/u"]
    assert np.allclose(found, jnp.sin(X) - right(X, T), atol=1e-13)


def test_periodic_axes_and_convolution_across_the_seam():
    problem = spec("dt(u) = integral(u^2) + convolve(exp(-abs(x)), u)", "x in [0, 2*pi] periodic")
    field = nablax.field(problem, lambda a, z: (a * z[1] * jnp.cos(z[0]))[None], jnp.ones(()))
    z = jnp.array([[0.3, 0.5], [6.2, 0.2]])
    found = problem.residual(field)(field.params, z)["equation/u"]
    x, t = z.T
    wave = (1 + jnp.exp(-jnp.pi)) * jnp.cos(x)  # ∫ exp(-|s|) cos(x - s) ds from -π to π
    assert np.allclose(found, jnp.cos(x) - jnp.pi * t**2 - wave * t, atol=1e-12)


def test_a_steady_convolution_differs_from_point_to_point():
    """∫ exp(-50 s²) sin(2π(x - s)) ds over a period is a multiple of sin 2πx."""
    problem = nablax.parse(
        "space { x in [0, 1] periodic }\nfields { u }\n"
        "equations { u - dxx(u) + convolve(exp(-50*x^2), u) = cos(2*pi*x) }\n"
    )
    field = nablax.field(problem, lambda a, z: a * jnp.sin(2 * jnp.pi * z), jnp.ones(()))
    residual = problem.residual(field)
    x = jnp.linspace(0.05, 0.9, 7)
    found = residual(field.params, x[:, None])["equation/u"]
    alone = [residual(field.params, x[k : k + 1, None])["equation/u"][0] for k in range(7)]
    assert np.allclose(found, alone, atol=1e-12)
    s, weights = np.polynomial.legendre.leggauss(64)
    share = weights / 2 @ (np.exp(-50 * (s / 2) ** 2) * np.cos(np.pi * s))
    wave = (1 + 4 * jnp.pi**2 + share) * jnp.sin(2 * jnp.pi * x) - jnp.cos(2 * jnp.pi * x)
    assert np.allclose(found, wave, atol=1e-10)


def test_losses_have_gradients_in_single_precision():
    problem = spec("dt(u) = -u*integral(u) + integral(u, x, 0, x)")
    field = nablax.field(problem, lambda a, z: (a * z[1] * jnp.sin(z[0]))[None], jnp.ones(()))
    batch = {"equation": {"x": X.astype(jnp.float32), "t": T.astype(jnp.float32)}}
    loss = jax.jit(jax.value_and_grad(lambda a: problem.losses(field)(a, batch)["equation/u"]))
    value, slope = loss(jnp.asarray(1.5, jnp.float32))

    def by_hand(a):
        area = T * (1 - jnp.cos(2.0))
        return jnp.mean((a * jnp.sin(X) * (1 + a * T * area) - a * T * (1 - jnp.cos(X))) ** 2)

    assert value.dtype == jnp.float32
    assert np.allclose([value, slope], jax.value_and_grad(by_hand)(1.5), rtol=1e-5)


def test_a_steady_integral_is_taken_once():
    problem = nablax.parse(
        "space { x in [0, 1]; y in [0, 1] }\nfields { u }\n"
        "equations { laplacian(u) = u*integral(u) }\nboundary { all: u = 0 }\n"
    )
    field = nablax.field(problem, lambda a, z: (a * z[0] * z[1])[None], jnp.ones(()))
    residual = problem.residual(field)
    points = jnp.ones((5000, 2)) / 2
    assert np.allclose(residual(field.params, points)["equation/u"], -1 / 16)
    assert "720000" not in jax.jit(residual).lower(field.params, points).as_text()  # 5000 points x 144


def test_the_rule_is_shown_and_chosen():
    lines = "\n".join(account(spec("dt(u) = integral(u, x, 0, x)").system))
    assert "32 Gauss–Legendre points along x" in lines
    assert "a bias" in lines
    problem = spec("dt(u) = mean(u)", "x in [0, 2] periodic", "train { quadrature = points(8) }")
    assert "8 evenly spaced points along x" in "\n".join(account(problem.system))


@pytest.mark.parametrize(
    ("equation", "words"),
    [
        ("dt(u) = integral(u*integral(u), x, 0, x)", "integrals inside running integrals and convolutions"),
        ("dt(u) = integral(fracint(u, t, 0.5))", "nonlocal operators under an integral"),
    ],
)
def test_what_is_out_of_reach(equation, words):
    problem = spec(equation)
    with pytest.raises(nablax.SpecError, match=f"P402.*residuals of {words}"):
        problem.residual(lambda _, z: z[:1])
