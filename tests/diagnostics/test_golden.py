"""Each `<CODE>.pde` here is reported exactly as `<CODE>.txt` says.

`NABLAX_UPDATE_GOLDEN=1` writes the texts anew: read the difference before committing it. A code with several
cases has files such as `P301.corner.pde`.
"""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from nablax.frontend.diagnostics import Report
from nablax.frontend.parser import parse, read_source
from nablax.frontend.render import render_all
from nablax.frontend.source import Source

FOLDER = Path(__file__).parent
CASES = sorted(FOLDER.glob("*.pde"))


def parse_only(source: Source) -> Report:
    report = Report(source)
    parse(source, report)
    return report


def checker() -> Callable[[Source], Report]:
    if find_spec("nablax.pipeline") is None:
        return parse_only
    from nablax import pipeline

    found: Callable[[Source], Report] = pipeline.check
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_message(case: Path) -> None:
    source = read_source(case.name, case.read_text("utf-8"))
    report = checker()(source)
    code = case.name.split(".")[0]
    assert code in {diagnostic.code for diagnostic in report.diagnostics}
    assert all(diagnostic.help for diagnostic in report.diagnostics)
    rendered = render_all(source, report.diagnostics) + "\n"
    golden = case.with_suffix(".txt")
    if os.environ.get("NABLAX_UPDATE_GOLDEN"):
        golden.write_text(rendered, "utf-8")
    assert rendered == golden.read_text("utf-8")
