"""The pages about residuals: the bad example yields the code, the good one does not."""

import jax
import jax.numpy as jnp
import pytest

import nablax
from nablax.frontend.diagnostics import SpecError
from nablax.frontend.explain import read_page


@pytest.mark.parametrize("code", ["P557", "P558", "P559"])
def test_pages(code, tmp_path):
    (tmp_path / "sensors.csv").write_text("x,t,u\n0.5,0.25,1.0\n0.25,0.5,0.5\n")
    page = read_page(code)
    assert page is not None

    def losses(text):
        problem = nablax.parse(text, folder=tmp_path)
        spec = problem.stages.problem
        outputs = len(spec.components)
        field = nablax.field(problem, lambda params, z: jnp.sin(params * z[:outputs]), jnp.ones(()))
        places = ["equation"] if spec.time is None else ["equation", "initial"]
        batch = problem.sample(jax.random.key(0), dict.fromkeys(places, 4))
        return problem.losses(field)(field.params, batch, jax.random.key(1))

    with pytest.raises(SpecError, match=code):
        losses(page.bad)
    assert all(jnp.isfinite(v) for v in losses(page.good).values())
