"""Specs to start from."""

import pytest

from nablax.frontend.diagnostics import Report
from nablax.frontend.parser import parse, read_source
from nablax.frontend.starters import kinds, starter


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("name", ["my run", 'quo"ted\nname', ""])
def test_a_starter_is_well_formed_and_carries_its_name(kind: str, name: str) -> None:
    source = read_source("new.pde", starter(kind, name))
    report = Report(source)
    module = parse(source, report)
    assert not report.diagnostics
    assert module is not None
    assert module.title is not None
    assert module.title.value.startswith(" ".join(name.replace('"', " ").split()))
    assert "#" in source.text


def test_kinds() -> None:
    wanted = {"heat", "wave", "advection", "reaction-diffusion", "navier-stokes", "schrodinger"}
    wanted |= {"poisson", "inverse", "conservation-law"}
    assert wanted <= set(kinds())
    with pytest.raises(KeyError):
        starter("../heat", "x")
