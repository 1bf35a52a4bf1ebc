"""`nablax bench --derivatives`: every candidate of the plan, the chosen one marked."""

from pathlib import Path

import jax
from click.testing import CliRunner

from nablax.cli.main import app

BURGERS = Path(__file__).parents[2] / "pde_examples" / "burgers.pde"


def test_candidates_are_timed():
    small = ["--points", "8", "--width", "4", "--depth", "1", "--rounds", "1"]
    try:
        answer = CliRunner().invoke(app, ["bench", "--derivatives", str(BURGERS), *small])
    finally:
        jax.config.update("jax_enable_x64", True)  # the command line sets it for its own process
    assert answer.exit_code == 0, answer.output
    rows = answer.output.splitlines()
    assert [row.split("  ")[0] for row in rows[1:]] == [
        "smallest algebra *",
        "all lower derivatives",
        "2 directions",
        "nested forward mode",
    ]
