"""The grammar loads wherever it is, with a cache or without one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from lark import Lark

from nablax.frontend.grammar import statement_parser

PROGRAM = """
import sys
from nablax.frontend.diagnostics import Report
from nablax.frontend.formatter import format_text
from nablax.frontend.parser import parse, read_source
from nablax.frontend.starters import starter
source = read_source("heat.pde", starter("heat", "heat"))
report = Report(source)
assert parse(source, report) is not None
assert not report.diagnostics
assert format_text(source) == source.text
assert not {"sympy", "jax", "numpy"} & set(sys.modules)
"""


def run(**environment: str) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, env={**os.environ, **environment}, cwd=os.sep)


def test_with_a_cache_that_is_made_read_and_spoilt(tmp_path: Path) -> None:
    for _ in range(2):
        run(XDG_CACHE_HOME=str(tmp_path))
    (cache,) = (tmp_path / "nablax").iterdir()
    assert (tmp_path / "nablax").stat().st_mode & 0o077 == 0
    cache.write_bytes(b"no tables")
    run(XDG_CACHE_HOME=str(tmp_path))


def test_without_a_place_for_the_cache(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    run(XDG_CACHE_HOME=str(file))


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="permissions of POSIX")
def test_a_folder_that_others_can_write_is_not_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "nablax"
    folder.mkdir()
    folder.chmod(0o777)
    run(XDG_CACHE_HOME=str(tmp_path))
    assert list(folder.iterdir()) == []


def test_the_parser_is_made_once() -> None:
    assert isinstance(statement_parser(), Lark)
    assert statement_parser() is statement_parser()
