"""A solver and its artifact give the same numbers: steps, rates, runs, derivatives, batches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.artifact.program import Artifact
from nablax.backends.artifact.read import unpack
from nablax.backends.artifact.write import compile_artifact
from nablax.backends.expectations import Judge
from nablax.backends.frames import Frame
from nablax.backends.solver import Solver
from tests.artifacts.specs import CHORD, FLOW, MEMORY, QUANTUM, RING, ROD, both

pytestmark = pytest.mark.brief

SPECS = {"ring": RING, "rod": ROD, "chord": CHORD, "quantum": QUANTUM, "flow": FLOW, "remembering": MEMORY}


@pytest.fixture(
    params=[
        "ring", "rod", "remembering",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("chord", "quantum", "flow")),
    ]
)  # fmt: skip
def pair(request: pytest.FixtureRequest) -> tuple[Solver, Artifact]:
    return both(SPECS[request.param])


def agree(found, wanted) -> None:
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        scale = float(np.abs(np.asarray(values)).max()) or 1.0
        np.testing.assert_allclose(np.asarray(found[name]), np.asarray(values), rtol=0, atol=1e-13 * scale)


def test_the_same_numbers(pair: tuple[Solver, Artifact]) -> None:
    solver, artifact = pair
    assert artifact.outline.grid == solver.outline.grid
    assert dict(artifact.parameters) == dict(solver.parameters)
    state, same = solver.initial(), artifact.initial()
    agree(artifact.fields(same), solver.fields(state))
    agree(artifact.fields(artifact.step(same)), solver.fields(solver.step(state)))
    agree(artifact.solve().fields, solver.solve().fields)
    streamed = [e for e in artifact.stream() if isinstance(e, Frame)]
    wanted = [e for e in solver.stream() if isinstance(e, Frame)]
    assert [(e.t, e.steps, e.rejected) for e in streamed] == [(e.t, e.steps, e.rejected) for e in wanted]
    agree(streamed[-1].fields, wanted[-1].fields)
    if not solver.plan.system.constraints and not solver.plan.system.has_memory:
        rates = zip(artifact.rhs(0.0, same), solver.rhs(0.0, state), strict=True)
        for found, rate in rates:
            np.testing.assert_allclose(np.asarray(found), np.asarray(rate), rtol=1e-12, atol=1e-12)


def test_parameters_and_initial_fields_at_run_time() -> None:
    solver, artifact = both(RING)
    agree(artifact.solve({"nu": 0.2}).fields, solver.solve({"nu": 0.2}).fields)
    assert float(artifact.solve({"nu": 0.2}).params["b"]) == 0.4
    agree(artifact.solve({"nu": 0.2, "b": 1.0}).fields, solver.solve({"nu": 0.2, "b": 1.0}).fields)


@pytest.mark.slow
def test_initial_rates_at_run_time() -> None:
    solver, artifact = both(CHORD)
    rate = jnp.asarray(np.sin(np.linspace(0, np.pi, 17)))
    given = {"dt(w)": rate}
    agree(
        artifact.solve(initial=artifact.initial(fields=given)).fields,
        solver.solve(initial=solver.initial(fields=given)).fields,
    )


@pytest.mark.parametrize(
    "text",
    [RING, pytest.param(ROD, marks=pytest.mark.slow), pytest.param(QUANTUM, marks=pytest.mark.slow)],
    ids=["fixed", "adaptive", "checked"],
)
def test_times_of_the_callers_choice(text: str) -> None:
    solver, artifact = both(text)
    end = solver.plan.frames[-1]
    times = [0.1 * end, 0.13 * end, 0.9 * end]
    agree(artifact.solve(save_at=times).fields, solver.solve(save_at=times).fields)
    traced = jax.jit(lambda: artifact.solve(save_at=times).fields)()
    agree(traced, jax.jit(lambda: solver.solve(save_at=times).fields)())


def test_derivatives_and_batches() -> None:
    solver, artifact = both(RING)
    assert artifact.differentiable
    weight = jnp.cos(jnp.arange(24.0))
    start = solver.fields(solver.initial())["u"]

    def loss(of: Solver | Artifact, nu: jax.Array, u: jax.Array) -> jax.Array:
        state = of.initial({"nu": nu}, fields={"u": u})
        return jnp.sum(weight * of.solve({"nu": nu}, state).fields["u"][-1] ** 2)

    def both_slopes(of: Solver | Artifact) -> tuple[jax.Array, jax.Array]:
        return jax.jit(jax.grad(lambda nu, u: loss(of, nu, u), argnums=(0, 1)))(jnp.asarray(0.1), start)

    found, wanted = both_slopes(artifact), both_slopes(solver)
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-12)
    np.testing.assert_allclose(found[1], wanted[1], rtol=1e-10, atol=1e-14)
    h = 1e-5
    ahead, behind = (float(loss(artifact, jnp.asarray(0.1 + s), start)) for s in (h, -h))
    assert float(found[0]) == pytest.approx((ahead - behind) / (2 * h), rel=1e-6)

    many = jnp.asarray([0.1, 0.2])
    values = jax.vmap(lambda nu: loss(artifact, nu, start))(many)
    np.testing.assert_allclose(values, jax.vmap(lambda nu: loss(solver, nu, start))(many), rtol=1e-12)
    slopes = jax.vmap(jax.grad(lambda nu: loss(artifact, nu, start)))(many)
    np.testing.assert_allclose(slopes[0], found[0], rtol=1e-12)


def test_the_past_travels_with_the_state() -> None:
    solver, artifact = both(MEMORY)
    agree(artifact.solve({"a": 0.4}, save_at=[1.5]).fields, solver.solve({"a": 0.4}, save_at=[1.5]).fields)

    def size(of: Solver | Artifact, p: jax.Array) -> jax.Array:
        return jnp.sum(of.solve({"a": p[0], "D": p[1]}, save_at=[1.3, 2.0]).fields["u"] ** 2)

    at = jnp.asarray([0.5, 2.0])
    found, wanted = (jax.jit(jax.grad(lambda p, of=of: size(of, p)))(at) for of in (artifact, solver))
    np.testing.assert_allclose(found, wanted, rtol=1e-11)
    with pytest.raises(TypeError, match="remember the past"):
        artifact.rhs(1.0, artifact.initial())
    with pytest.raises(ValueError, match="the state has room for 12"):
        artifact.solve(save_at=np.linspace(1.0, 2.0, 40))


@pytest.mark.slow
def test_other_kinds_of_memory() -> None:
    solver, artifact = both(MEMORY.replace("memory = direct", "step = cq"))
    agree(artifact.solve().fields, solver.solve().fields)
    nonlinear = MEMORY.replace("dt = 0.1; memory = direct", "memory = sum_of_exponentials")
    solver, artifact = both(nonlinear.replace("+ sin(t)", "- u^3").replace("every = 0.25", "every = 0.5"))
    agree(artifact.solve().fields, solver.solve().fields)


def test_orders_stay_between_their_whole_numbers() -> None:
    solver, artifact = both(MEMORY)
    for compiled, kind in ((solver, ValueError), (artifact, ArtifactError)):
        with pytest.raises(kind, match=r"is 1 by `a`, and it was compiled for \(0, 1\)"):
            compiled.initial({"a": 1.0})
        compiled.initial({"a": 0.7})


def test_what_an_artifact_refuses() -> None:
    _, rod = both(ROD)
    with pytest.raises(ArtifactError, match="`L` shapes the grid and is compiled in"):
        rod.solve({"L": 2.0})
    rod.initial({"L": 1.0})
    with pytest.raises(ValueError, match="no parameter is named `E`"):
        rod.solve({"E": 2.0})
    with pytest.raises(ValueError, match="`u` is a real field, and complex values were given"):
        rod.initial(fields={"u": jnp.full(17, 1j)})


@pytest.mark.slow
@pytest.mark.parametrize("text", [ROD, QUANTUM], ids=["adaptive", "checked"])
def test_derivatives_of_chosen_steps(text: str) -> None:
    solver, artifact = both(text)
    assert artifact.differentiable
    name = next(iter(artifact.parameters)) if text == QUANTUM else "D"

    def slopes(of: Solver | Artifact) -> jax.Array:
        def loss(value: jax.Array) -> jax.Array:
            (field,) = of.solve({name: value}).fields.values()
            return jnp.sum(jnp.cos(jnp.arange(field.shape[-1])) * jnp.abs(field[-1]) ** 2)

        return jax.vmap(jax.grad(loss))(jnp.asarray([0.5, 0.7]))

    np.testing.assert_allclose(slopes(artifact), slopes(solver), rtol=1e-9)


@pytest.mark.slow
def test_a_constraint_leaves_no_right_hand_side() -> None:
    _, flow = both(FLOW)
    with pytest.raises(TypeError, match="must hold at every moment"):
        flow.rhs(0.0, flow.initial())


def test_expectations_are_judged_as_in_the_spec() -> None:
    solver, artifact = both(RING)
    verdicts = []
    for of in (solver, artifact):
        judge = Judge(of.outline, {name: float(v) for name, v in of.parameters.items()})
        for event in of.stream():
            if isinstance(event, Frame):
                judge.see(event)
        verdicts.append(judge.verdicts())
    assert len(verdicts[0]) == 2
    for found, wanted in zip(verdicts[1], verdicts[0], strict=True):
        assert (found.text, found.passed, found.measure, found.t) == (
            wanted.text, wanted.passed, wanted.measure, wanted.t,
        )  # fmt: skip
        assert found.measured == pytest.approx(wanted.measured, rel=1e-9, abs=1e-14)


def test_single_precision_and_fewer_platforms() -> None:
    solver = nablax.parse(RING, name="spec.pde").compile(dtype="float32")
    artifact = unpack(compile_artifact(solver, platforms=("cpu",)))
    assert artifact.manifest.platforms == ("cpu",)
    last = artifact.solve().fields["u"]
    assert last.dtype == jnp.float32
    np.testing.assert_allclose(last, solver.solve().fields["u"], atol=1e-6)
    with pytest.raises(ArtifactError, match="`abacus` is no platform"):
        compile_artifact(solver, platforms=("abacus",))
