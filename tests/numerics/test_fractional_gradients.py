"""The fractional Jacobian against its definition, and what a layer owes its users."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import optax
import pytest

from nablax.fractional import (
    FLinear,
    fractional_energy,
    fractional_momentum,
    grunwald_letnikov_momentum,
    scale_by_dimension,
    scale_by_distance,
    scale_by_weight,
    with_fractional_layers,
)

KEY = jax.random.key(7)


def brute_force(weight, bias, x, cotangent, order):
    """Every entry of the fractional Jacobian by quadrature of Riemann–Liouville, then the contraction.

    z as a function of one weight w is a w + c; D^α (a w + c) = d/dw of its integral of order 1 - α.
    """
    z = x @ weight.T + bias
    found = np.zeros_like(weight)
    with mpmath.workdps(30):
        alpha = mpmath.mpf(order)

        def derivative(slope, constant, at):
            def integral(w):  # s = v^(1/(1-α)) takes the kernel's singularity away
                f = lambda v: slope * (w - v ** (1 / (1 - alpha))) + constant  # noqa: E731
                return mpmath.quad(f, [0, w ** (1 - alpha)]) / mpmath.gamma(2 - alpha)

            return mpmath.diff(integral, at)

        for o, i in np.ndindex(*weight.shape):
            w = weight[o, i]
            for b in range(len(x)):
                a, c = float(x[b, i]), float(z[b, o] - x[b, i] * w)
                # Below 0, minus the right-sided derivative: minus the left one in |w| of -a |w| + c.
                value = derivative(a, c, w) if w > 0 else -derivative(-a, c, -w)
                found[o, i] += float(value) * cotangent[b, o]
    return found


@pytest.mark.parametrize("order", [0.6, 0.9])
def test_exact_mode_is_the_riemann_liouville_derivative(order):
    rng = np.random.default_rng(3)
    layer = FLinear(3, 2, order=order, key=KEY)
    layer = eqx.tree_at(lambda m: (m.weight, m.bias), layer, (rng.normal(size=(2, 3)), rng.normal(size=2)))
    x, g = rng.normal(size=(2, 3)), rng.normal(size=(2, 2))
    gradient = jax.grad(lambda m: jnp.vdot(m(jnp.asarray(x)), g))(layer)
    expected = brute_force(np.asarray(layer.weight), np.asarray(layer.bias), x, g, order)
    np.testing.assert_allclose(gradient.weight, expected, rtol=1e-9)
    np.testing.assert_allclose(gradient.bias, g.sum(0), rtol=1e-12)


def closed(weight, bias, x, g, order, mode):
    """The formula, output by output and sample by sample."""
    z = x @ weight.T + bias
    found = np.zeros_like(weight)
    for b, o, i in np.ndindex(len(x), *weight.shape):
        row = 0 if mode == "published" else o
        w = weight[row, i]
        value = x[b, i] * abs(w) ** (1 - order) / math.gamma(2 - order)
        if mode != "caputo":
            rest = z[b, row] - x[b, i] * w
            value += rest * np.sign(w) * abs(w) ** (-order) / math.gamma(1 - order)
        found[o, i] += g[b, o] * value
    return found


@pytest.mark.parametrize("mode", ["exact", "published", "caputo"])
@pytest.mark.parametrize("mapped", [False, True])
def test_modes_on_batches_and_under_vmap(mode, mapped):
    rng = np.random.default_rng(5)
    layer = FLinear(4, 3, order=0.7, mode=mode, key=KEY)
    x, g = rng.normal(size=(6, 4)), rng.normal(size=(6, 3))

    def objective(m, x):
        y = jax.vmap(m)(x) if mapped else m(x)
        return jnp.vdot(y, g)

    slopes, back = jax.grad(objective, argnums=(0, 1))(layer, jnp.asarray(x))
    weight, bias = np.asarray(layer.weight), np.asarray(layer.bias)
    np.testing.assert_allclose(slopes.weight, closed(weight, bias, x, g, 0.7, mode), rtol=1e-10)
    np.testing.assert_allclose(back, g @ weight, rtol=1e-12)


def test_order_one_is_the_ordinary_layer_bit_for_bit():
    plain = eqx.nn.Linear(5, 4, key=KEY)
    ours = FLinear(5, 4, order=1.0, key=KEY)
    x = jax.random.normal(jax.random.key(1), (5,))
    assert np.array_equal(ours.weight, plain.weight)
    loss = lambda m: jnp.sum(jnp.tanh(m(x)) ** 2)  # noqa: E731
    assert np.array_equal(ours(x), plain(x))
    a, b = jax.grad(loss)(ours), jax.grad(loss)(plain)
    assert np.array_equal(a.weight, b.weight)
    assert np.array_equal(a.bias, b.bias)


def test_values_do_not_change_and_the_gradient_tends_to_the_ordinary_one():
    plain = eqx.nn.Linear(5, 4, key=KEY)
    x = jax.random.normal(jax.random.key(1), (9, 5))
    loss = lambda m: jnp.sum(m(x) ** 2)  # noqa: E731
    ordinary = jax.grad(lambda m: jnp.sum(jax.vmap(m)(x) ** 2))(plain).weight
    apart = []
    for order in (0.99, 0.999, 0.9999):
        layer = FLinear(5, 4, order=order, key=KEY)
        np.testing.assert_allclose(layer(x), jax.vmap(plain)(x), rtol=1e-14, atol=1e-14)
        apart.append(float(jnp.linalg.norm(jax.grad(loss)(layer).weight - ordinary)))
    assert apart[0] / apart[1] == pytest.approx(10, rel=0.1)
    assert apart[1] / apart[2] == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_are_finite_at_zero_weights(dtype):
    layer = FLinear(3, 2, order=0.9, key=KEY)
    weight = jnp.asarray([[0.0, -0.0, 1e-30], [1e-12, -1e-20, 2.0]], dtype)
    layer = eqx.tree_at(lambda m: (m.weight, m.bias), layer, (weight, jnp.ones(2, dtype)))
    gradient = jax.grad(lambda m: jnp.sum(m(jnp.ones((4, 3), dtype))))(layer)
    assert gradient.weight.dtype == dtype
    assert np.isfinite(gradient.weight).all()


def test_clip_bounds_the_part_of_the_constant():
    layer = FLinear(3, 2, order=0.9, clip=0.5, key=KEY)
    own = FLinear(3, 2, order=0.9, mode="caputo", key=KEY)
    layer, own = (
        eqx.tree_at(lambda m: m.weight, m, jnp.full((2, 3), 1e-4, m.weight.dtype)) for m in (layer, own)
    )
    loss = lambda m: jnp.sum(m(jnp.ones((4, 3))) ** 2)  # noqa: E731
    a, b = jax.grad(loss)(layer).weight, jax.grad(loss)(own).weight
    assert float(jnp.linalg.norm(a - b)) == pytest.approx(0.5 * float(jnp.linalg.norm(b)), rel=1e-6)


def test_every_linear_layer_of_a_model_is_replaced():
    model = eqx.nn.MLP(2, 1, 8, 2, key=KEY)
    turned = with_fractional_layers(model, 0.8)
    assert sum(isinstance(m, FLinear) for m in turned.layers) == 3
    x = jnp.asarray([0.3, -0.4])
    np.testing.assert_allclose(turned(x), model(x), rtol=1e-12)


def test_refusals():
    for bad in ({"order": 0}, {"order": 1.2}, {"mode": "fast"}, {"clip": -1.0}):
        with pytest.raises(ValueError, match=r"order|mode|clip"):
            FLinear(2, 2, key=KEY, **bad)
    with pytest.raises(ValueError, match="order"):
        scale_by_distance(2.0)
    with pytest.raises(ValueError, match="term"):
        grunwald_letnikov_momentum(0.5, 0)


def descend(rule, start, steps, rate):
    loss = lambda w: 0.5 * jnp.sum(jnp.asarray([1.0, 4.0]) * w**2)  # noqa: E731
    tool = optax.chain(rule, optax.scale(-rate))

    def step(carry, _):
        w, state = carry
        updates, state = tool.update(jax.grad(loss)(w), state, w)
        w = optax.apply_updates(w, updates)
        return (w, state), w

    _, path = jax.lax.scan(step, (start, tool.init(start)), length=steps)
    return path


def test_distance_scaling_follows_its_formula():
    start = jnp.asarray([1.0, -2.0])
    path = descend(scale_by_distance(0.8), start, 3, 0.1)
    w0, w1 = start, path[0]
    np.testing.assert_allclose(w1, w0 - 0.1 * jnp.asarray([1.0, 4.0]) * w0)
    factor = (jnp.abs(w1 - w0) + 1e-8) ** 0.2 / math.gamma(1.2)
    np.testing.assert_allclose(path[1], w1 - 0.1 * jnp.asarray([1.0, 4.0]) * w1 * factor, rtol=1e-6)
    plain = descend(optax.identity(), start, 20, 0.1)
    np.testing.assert_allclose(descend(scale_by_distance(1.0), start, 20, 0.1), plain, rtol=1e-6)


def test_orders_above_one_divide_by_the_distance():
    """GF-SGD at its order of 1.5: w ← w - μ g (|Δw| + ε)^(-1/2) / Γ(1/2), by hand."""
    start = jnp.asarray([1.0, -2.0])
    path = descend(scale_by_distance(1.5), start, 2, 0.01)
    np.testing.assert_allclose(path[0], [0.99, -1.92], rtol=1e-12)
    step = 0.01 * np.array([0.99, -7.68]) / np.sqrt(np.array([0.01, 0.08]) + 1e-8) / math.sqrt(math.pi)
    np.testing.assert_allclose(path[1], np.array([0.99, -1.92]) - step, rtol=1e-9)


def test_orders_fall_with_the_dimension_of_a_layer():
    """Two layers, one of two arrays, whose dimensions change at every step; d_max is that of all steps."""
    weights = {"first": {"w": jnp.asarray([1.0, -2.0]), "b": jnp.asarray([0.5])}, "last": jnp.asarray([3.0])}
    rule = scale_by_dimension(0.9, 0.4, floor=1e-3)
    state = rule.init(weights)
    last, largest = None, 0.0
    for t, (first, second) in enumerate([(2.0, 4.0), (3.0, 1.0), (8.0, 2.0), (1.0, 6.0)]):
        gradient = jax.tree.map(jnp.cos, weights)
        found, state = rule.update(gradient, state, weights, dimensions={"first": first, "last": second})
        largest = max(largest, first, second)
        for layer, dimension in (("first", first), ("last", second)):
            order = 0.9 - 0.4 * dimension / largest
            parts = (jax.tree.leaves(tree[layer]) for tree in (found, gradient, weights, last or weights))
            for got, g, w, before in zip(*parts, strict=True):
                factor = (np.abs(w - before) + 1e-3) ** (1 - order) / math.gamma(2 - order) if t else 1.0
                np.testing.assert_allclose(got, g * factor, rtol=1e-12)
        last, weights = weights, optax.apply_updates(weights, jax.tree.map(jnp.negative, found))


def test_order_one_without_gain_is_plain_descent():
    w = jnp.asarray([1.0, -2.0])
    rule, plain = scale_by_dimension(1.0, 0.0), w
    state = rule.init(w)
    for dimension in (0.0, 3.0, 1.0):
        updates, state = rule.update(jnp.sin(w), state, w, dimensions=dimension)
        w, plain = w - 0.1 * updates, plain - 0.1 * jnp.sin(plain)
        assert np.array_equal(w, plain)
    for order, gain in ((0.5, 0.5), (2.0, 0.1), (0.9, -0.1)):
        with pytest.raises(ValueError, match="orders"):
            scale_by_dimension(order, gain)
    with pytest.raises(ValueError, match="dimensions=tree"):
        rule.update(w, state, w)


def quadratic(rule, steps, start):
    """Losses and weights on the way down ½ w·diag(1, 4) w."""
    loss = lambda w: 0.5 * jnp.sum(jnp.asarray([1.0, 4.0]) * w**2)  # noqa: E731

    def step(carry, _):
        w, state = carry
        value, gradient = jax.value_and_grad(loss)(w)
        updates, state = rule.update(gradient, state, w, value=value)
        return (optax.apply_updates(w, updates), state), (w, value, state)

    return jax.jit(lambda: jax.lax.scan(step, (start, rule.init(start)), length=steps)[1])()


def test_fractional_momentum_remembers_fractional_gradients():
    """v_t = β v_{t-1} + g_t (|w_t - w_{t-1}| + δ)^(1-α) / Γ(2-α), written out step by step."""
    order, decay, rate, floor = 0.8, 0.5, 0.1, 1e-3
    rule = optax.chain(fractional_momentum(order, decay, floor), optax.scale(-rate))
    weights, _, _ = quadratic(rule, 6, jnp.asarray([1.0, -2.0]))
    w, velocity, last = np.array([1.0, -2.0]), np.zeros(2), None
    for t in range(6):
        np.testing.assert_allclose(weights[t], w, rtol=1e-6)
        g = np.array([1.0, 4.0]) * w
        if last is not None:
            g = g * (np.abs(w - last) + floor) ** (1 - order) / math.gamma(2 - order)
        velocity = decay * velocity + g
        last, w = w, w - rate * velocity


def test_the_energy_falls_at_any_rate():
    """Rates a hundred times too large for plain descent: the energy falls, and the loss stays bounded."""
    start = jnp.asarray([1.0, -2.0])
    _, losses, states = quadratic(fractional_energy(0.9, 50.0), 200, start)
    energy = np.asarray(states.energy)
    assert (np.diff(energy, axis=0) <= 0).all()
    assert (energy >= 0).all()
    assert float(losses.max()) < 20 * float(losses[0])
    _, losses, _ = quadratic(fractional_energy(0.9, 0.1), 400, start)
    assert losses[-1] < 1e-3 * losses[0]
    rule = fractional_energy(0.9, 0.1)
    with pytest.raises(ValueError, match="value=loss"):
        rule.update(start, rule.init(start), start)


def test_weight_scaling_follows_its_formula():
    w, g = jnp.asarray([0.5, -2.0]), jnp.asarray([0.3, 0.7])
    rule = scale_by_weight(0.7, decay=0.1, floor=0.0)
    found, _ = rule.update(g, rule.init(w), w)
    size = jnp.abs(w)
    shrinking = 0.1 * jnp.sign(w) * size**1.3 / math.gamma(2.3)
    np.testing.assert_allclose(found, g * size**0.3 / math.gamma(1.3) + shrinking, rtol=1e-6)
    ordinary, _ = scale_by_weight(1.0, decay=0.1, floor=0.0).update(g, rule.init(w), w)
    np.testing.assert_allclose(ordinary, g + 0.1 * w, rtol=1e-6)
    with pytest.raises(ValueError, match="order"):
        scale_by_weight(0.0)


def test_momentum_solves_the_fractional_difference_equation():
    """Σ_{k=0..terms} (-1)^k C(α, k) m_{t-k} = g_t."""
    rule = grunwald_letnikov_momentum(0.6, 4)
    state = rule.init(jnp.zeros(1))
    gradients = np.random.default_rng(0).normal(size=12)
    momenta = []
    for g in gradients:
        m, state = rule.update(jnp.asarray([g]), state)
        momenta.append(float(m[0]))
    for t, g in enumerate(gradients):
        total = sum(
            (-1) ** k * float(mpmath.binomial(0.6, k)) * momenta[t - k] for k in range(5) if t - k >= 0
        )
        assert total == pytest.approx(g, rel=1e-6, abs=1e-6)
    assert float(jnp.abs(descend(grunwald_letnikov_momentum(0.5), jnp.ones(2), 300, 0.05)[-1]).max()) < 1e-2
