"""The pages about output, needs and runs: the bad example yields the code, the good one does not."""

import pytest

import nablax
from nablax.backends import estimates
from nablax.backends.build import build
from nablax.backends.run import Target, prepare, run
from nablax.frontend.diagnostics import Report, SpecError
from nablax.frontend.explain import codes, read_page
from nablax.frontend.source import read_source
from nablax.pipeline import compile_plan

RESIDUAL = ("P557", "P558", "P559")  # tests/residuals/test_pages.py
BEFORE = [c for c in codes() if c in ("P450", "P451", "P452") or (c.startswith("P55") and c not in RESIDUAL)]
COMPILED = tuple(c for c in codes() if c.startswith("R73"))  # tests/cli: compiled files
ELSEWHERE = ("R711", "R720", "R721", "R740", *COMPILED)  # tests/training: methods, windows, checkpoints
DURING = [c for c in codes() if c.startswith("R7") and c not in ELSEWHERE]


class Quiet:
    def saw(self, event):
        return


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """A machine of known size without ffmpeg, and a folder with strangers' files."""
    monkeypatch.setattr(estimates, "machine_memory", lambda: 64e9)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1e12, "total": 1e18}))
    monkeypatch.setattr("shutil.which", lambda name: None)
    for name in ("thesis.nc", "heat.gif"):
        (tmp_path / name).write_text("precious")


def found(text, folder, solve):
    report = Report(read_source("page.pde", text))
    try:
        plan, report = compile_plan(report.source)
        prepared = prepare(plan, Target(folder, folder, "out"), report)
    except SpecError as error:
        return {d.code for d in error.diagnostics}
    codes = {d.code for d in report.diagnostics}
    if solve:
        codes |= {d.code for d in run(prepared, build(plan), Quiet()).diagnostics}
    return codes


@pytest.mark.parametrize("code", BEFORE)
def test_before_the_run(code, tmp_path):
    page = read_page(code)
    assert page is not None
    solve = code == "P553"
    assert found(page.bad, tmp_path, solve) == {code}
    assert found(page.good, tmp_path, solve) == set()


@pytest.mark.parametrize("code", DURING)
def test_during_the_run(code, tmp_path):
    page = read_page(code)
    assert page is not None
    assert code in found(page.bad, tmp_path, solve=True)
    assert found(page.good, tmp_path, solve=True) == set()


def test_what_cannot_be_manufactured():
    page = read_page("R711")
    assert page is not None
    with pytest.raises(SpecError, match="R711"):
        nablax.parse(page.bad).verify()
    assert nablax.parse(page.good).verify().passed
