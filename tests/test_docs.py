"""The documents are true: specs in them compile, marked Python runs, tables are those of the sources.

`NABLAX_UPDATE_GOLDEN=1` writes the tables of docs/language.md anew.
"""

import os
import re
import runpy
from pathlib import Path

import jax
import pytest

from nablax.frontend.parser import read_source
from nablax.frontend.render import render_all
from nablax.pipeline import check
from nablax.reference import function_table, operator_table

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), *(p for p in [ROOT / "README.md"] if p.is_file())]
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
TABLES = {"operators": operator_table, "functions": function_table}


def blocks(language: str) -> list[tuple[str, str, str]]:
    """(document:line, what stands after the language, text)."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            if match[1] == language:
                found.append((f"{document.name}:{line}", match[2].strip(), match[3]))
    return found


@pytest.mark.parametrize(("place", "marks", "text"), blocks("pde"), ids=lambda v: v if ":" in v[:40] else "")
def test_specs_compile(place: str, marks: str, text: str) -> None:
    del marks
    source = read_source(place, text)
    report = check(source, folder=ROOT / "docs")
    assert not report.diagnostics, render_all(source, report.diagnostics)


@pytest.mark.parametrize(
    ("place", "marks", "text"), blocks("python"), ids=lambda v: v if ":" in v[:40] else ""
)
def test_python_runs(
    place: str, marks: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del place
    if "run" not in marks.split():
        pytest.skip("not marked `run`")
    (tmp_path / "pde_examples").symlink_to(ROOT / "pde_examples")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "block.py").write_text(text, "utf-8")
    # A reader's JAX promotes as it does by default.
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        runpy.run_path("block.py")


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_current(name: str) -> None:
    document = ROOT / "docs" / "language.md"
    text = document.read_text("utf-8")
    wanted = f"<!-- {name} -->\n\n{TABLES[name]()}\n\n<!-- end -->"
    found = re.search(rf"<!-- {name} -->.*?(?:<!-- end -->|\Z)", text, re.DOTALL)
    assert found is not None
    if os.environ.get("NABLAX_UPDATE_GOLDEN"):
        document.write_text(text.replace(found[0], wanted), "utf-8")
    else:
        assert found[0] == wanted
