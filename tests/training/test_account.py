"""`nablax show` says what is built into the network."""

from nablax.frontend.parser import read_source
from nablax.overrides import Overrides
from nablax.pipeline import run_stages
from nablax.show import show

SPEC = """
space { x in [0, 1] }
time { t in [0, 1] }
fields { u; v }
equations { dt(u) = dxx(u) + v; dt(v) = dxx(v) }
initial { u = sin(pi*x); v = 0 }
boundary { all: u = 0; x = 0: v = 0; x = 1: dn(v) = sqrt(v) }
train { model = mlp(width=4, depth=1) }
"""


def test_formulas_and_what_is_left():
    told = show(run_stages(read_source("spec", SPEC)))
    assert "u = t*x*(1 - x)*N_u + sin(π*x)" in told
    assert "boundary/x=1/2 is a term of the loss: it has no value for some values" in told
    off = show(run_stages(read_source("spec", SPEC), Overrides(train={"hard": "off"})))
    assert "N_u" not in off
