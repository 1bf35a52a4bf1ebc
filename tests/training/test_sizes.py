"""The number of trained numbers, known from the text, is that of the networks that are built."""

import jax
import pytest

import nablax
from nablax.backends.networks.build import build_field
from nablax.models import read_model
from nablax.training.sizes import trained_numbers

SPEC = """
space {{ x in [0, 1] periodic; y in [0, 1] }}
fields {{ u; psi: complex }}
params {{ D ~ 1 in [0.5, 2]; C(y) ~ 1 in [0.5, 2] }}
equations {{ D*laplacian(u) = 1; laplacian(psi) = C*psi }}
boundary {{ all: u = 0, psi = 0 }}
train {{ model = {} }}
"""


@pytest.mark.parametrize(
    "model",
    [
        "mlp(width=5, depth=3, harmonics=2)",
        "mlp(width=5, depth=2, features=fourier(3), weights=ternary)",
        "modified_mlp(width=5, depth=3, factorised=on)",
        "pirate(width=6, blocks=2)",
        "pirate(width=5, blocks=1, factorised=on, weights=ternary)",
        "separable(width=4, depth=2, rank=3, features=fourier(2), factorised=on)",
    ],
)
def test_numbers_of_a_network(model):
    problem = nablax.parse(SPEC.format(model)).system.problem
    found = read_model(problem, None)
    params = jax.eval_shape(lambda key: build_field(problem, found, key).params, jax.random.key(0))
    assert trained_numbers(problem, found) == sum(leaf.size for leaf in jax.tree.leaves(params))
