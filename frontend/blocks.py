"""The blocks of a spec and the statements that each of them takes."""

BLOCKS = (
    "space", "time", "fields", "params", "let", "equations", "initial", "boundary", "data", "solve", "train",
    "output", "expect",
)  # fmt: skip

# What a required block may look like, for the message that misses it.
REQUIRED = {
    "space": "x in [0, 1]",
    "fields": "u",
    "equations": "dt(u) = dxx(u)",
}

# Names from other tools and from the language of papers.
MEANT = {
    "domain": "space", "axes": "space", "geometry": "space", "region": "space", "mesh": "solve",
    "grid": "solve", "unknowns": "fields", "variables": "fields", "functions": "fields",
    "parameters": "params", "constants": "params", "coefficients": "params", "define": "let",
    "definitions": "let", "where": "let", "pde": "equations", "eq": "equations", "eqs": "equations",
    "ic": "initial", "ics": "initial", "bc": "boundary", "bcs": "boundary", "conditions": "boundary",
    "measurements": "data", "observations": "data", "solver": "solve", "method": "solve",
    "training": "train", "result": "output", "plot": "output", "tests": "expect", "check": "expect",
    "assert": "expect",
}  # fmt: skip

from nablax.frontend.diagnostics import Report
from nablax.frontend.syntax import Block


def check_block(block: Block, report: Report) -> Block:
    return block
