"""Each `<CODE>.pde` here is reported exactly as `<CODE>.txt` says.

`NABLAX_UPDATE_GOLDEN=1` writes the texts anew: read the difference before committing it. A code with several
cases has files such as `P301.side.pde`. A first line `# --set nu=2u` gives values from outside; `sensors.csv`
is the data file that specs name.
"""

import os
import re
from pathlib import Path

import pytest

from nablax.frontend.parser import read_source
from nablax.frontend.render import render_all
from nablax.frontend.source import Source
from nablax.overrides import Overrides
from nablax.pipeline import check

FOLDER = Path(__file__).parent
CASES = sorted(FOLDER.glob("*.pde"))


def given(source: Source) -> Overrides:
    """The values that the first line gives from outside."""
    pairs = re.findall(r"--(set|solve) (\w+)=(\S+)", source.text.partition("\n")[0])
    parameters, solve = ({n: v for f, n, v in pairs if f == flag} for flag in ("set", "solve"))
    return Overrides(parameters, solve)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_message(case: Path) -> None:
    source = read_source(case.name, case.read_text("utf-8"))
    report = check(source, given(source), FOLDER)
    code = case.name.split(".")[0]
    assert code in {diagnostic.code for diagnostic in report.diagnostics}
    assert all(diagnostic.help for diagnostic in report.diagnostics)
    rendered = render_all(source, report.diagnostics) + "\n"
    golden = case.with_suffix(".txt")
    if os.environ.get("NABLAX_UPDATE_GOLDEN"):
        golden.write_text(rendered, "utf-8")
    assert rendered == golden.read_text("utf-8")
