"""check, show, fmt, new, explain: results on standard output, messages on standard error, exit codes."""

import json
import sys
from io import BytesIO, TextIOWrapper

import pytest

WRONG = "space { x in [0, 1] periodic }\ntime { t in [0, 1] }\nfields { u }\nequations { dt(u) == dxx(u) }\n"


def test_help_lists_the_verbs(nablax):
    answer = nablax("--help")
    assert answer.code == 0
    for verb in (
        "bench",
        "check",
        "compile",
        "explain",
        "fmt",
        "new",
        "plot",
        "run",
        "show",
        "train",
        "verify",
    ):
        assert f"  {verb} " in answer.out


def test_version(nablax):
    assert nablax("--version").out.startswith("nablax ")


@pytest.mark.parametrize(
    "arguments", [("--nonsense",), ("nonsense",), ("check",), ("run", "--set"), ("check", "a", "b")]
)
def test_usage(nablax, arguments):
    answer = nablax(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err


def test_check_passes(nablax, heat):
    answer = nablax("check", "heat.pde")
    assert (answer.code, answer.out, answer.err) == (0, "heat.pde: ok\n", "")


def test_check_fails(nablax, heat):
    heat.write_text(WRONG)
    answer = nablax("check", "heat.pde")
    assert (answer.code, answer.out) == (1, "")
    assert "error[P006]" in answer.err
    assert "heat.pde: " in answer.err


def test_check_json(nablax, heat):
    heat.write_text(WRONG)
    answer = nablax("check", "heat.pde", "--json")
    data = json.loads(answer.out)
    assert (answer.code, data["schema"], answer.err) == (1, 1, "")
    assert "P006" in [d["code"] for d in data["diagnostics"]]


def test_check_fix(nablax, heat):
    heat.write_text(heat.read_text("utf-8").replace("dt(u) =", "dt(u) ==").replace("0.5", "2**-1"), "utf-8")
    answer = nablax("check", "heat.pde", "--fix")
    assert answer.code == 0
    text = heat.read_text("utf-8")
    assert "dt(u) = nu" in text
    assert "2^-1" in text
    assert list(heat.parent.iterdir()) == [heat]


def test_check_overrides(nablax, heat):
    assert nablax("check", "heat.pde", "--set", "nu=0.02", "--solve", "n=64").code == 0
    assert nablax("check", "heat.pde", "--set", "mu=0.02").code == 1
    assert nablax("check", "heat.pde", "--set", "nu").code == 2
    assert nablax("check", "heat.pde", "--solve", "=3").code == 2


def test_files_that_cannot_be_read(nablax, heat):
    (heat.parent / "folder").mkdir()
    (heat.parent / "latin.pde").write_bytes("é".encode("latin-1"))
    for verb in ("check", "show", "run", "fmt"):
        missing = nablax(verb, "missing.pde")
        assert (missing.code, missing.err) == (2, "error: there is no `missing.pde`\n")
        folder = nablax(verb, "folder")
        assert (folder.code, folder.err) == (2, "error: `folder` is a folder\n")
        latin = nablax(verb, "latin.pde")
        assert (latin.code, latin.err) == (1, "error: `latin.pde` is not UTF-8 (byte 0xe9 at offset 0)\n")
        assert nablax(verb, "a\0b").code == 2


def stdin(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(text.encode())))


def test_standard_input(nablax, heat, monkeypatch):
    stdin(monkeypatch, heat.read_text("utf-8"))
    assert nablax("check", "-").out == "<stdin>: ok\n"
    stdin(monkeypatch, WRONG)
    assert nablax("check", "-", "--fix").code == 2
    stdin(monkeypatch, heat.read_text("utf-8").replace("fields {", "fields{"))
    assert nablax("fmt", "-").out == heat.read_text("utf-8")


def test_show(nablax, heat):
    answer = nablax("show", "heat.pde")
    assert (answer.code, answer.err) == (0, "")
    assert "Heat on a ring" in answer.out
    assert "etdrk4" in answer.out


@pytest.mark.parametrize("stage", ["syntax", "problem", "system", "plan"])
def test_show_stage(nablax, heat, stage):
    answer = nablax("show", "heat.pde", "--stage", stage)
    assert (answer.code, answer.err) == (0, "")
    assert len(answer.out.splitlines()) > 5


def test_show_latex_and_json(nablax, heat):
    assert r"\begin{align*}" in nablax("show", "heat.pde", "--latex").out
    data = json.loads(nablax("show", "heat.pde", "--json", "--stage", "system").out)
    assert (data["schema"], data["stage"], data["diagnostics"]) == (1, "system", [])
    assert "dxx" in data["text"] or "Derivative" in data["text"] or "orders" in data["text"]
    assert nablax("show", "heat.pde", "--latex", "--stage", "plan").code == 2


def test_show_a_wrong_spec(nablax, heat):
    heat.write_text(WRONG)
    answer = nablax("show", "heat.pde")
    assert answer.code == 1
    assert "error[P006]" in answer.err


def test_fmt(nablax, heat):
    before = heat.read_bytes()
    heat.write_bytes(before.replace(b"\n", b"\r\n").replace(b"fields { u }", b"fields{u}"))
    assert nablax("fmt", "--check", "heat.pde").code == 1
    assert b"fields{u}" in heat.read_bytes()
    assert nablax("fmt", "heat.pde").code == 0
    assert nablax("fmt", "--check", "heat.pde").code == 0
    assert heat.read_bytes() == before
    assert list(heat.parent.iterdir()) == [heat]


def test_fmt_keeps_the_mode_and_follows_links(nablax, heat):
    before = heat.read_text("utf-8")
    heat.write_text(before.replace("fields { u }", "fields{u}"), "utf-8")
    heat.chmod(0o640)
    link = heat.parent / "link.pde"
    link.symlink_to(heat)
    assert nablax("fmt", "link.pde").code == 0
    assert link.is_symlink()
    assert heat.read_text("utf-8") == before
    assert heat.stat().st_mode & 0o777 == 0o640


def test_fmt_unicode(nablax, heat):
    assert nablax("fmt", "--unicode", "heat.pde").code == 0
    assert "ν" in heat.read_text("utf-8")


def test_fmt_of_what_is_no_spec(nablax, heat):
    heat.write_text("fields { u")
    answer = nablax("fmt", "heat.pde")
    assert answer.code == 1
    assert "error[P0" in answer.err
    assert heat.read_text() == "fields { u"


def test_new(nablax, heat):
    kinds = [line.split()[0] for line in nablax("new").out.splitlines()]
    assert "heat" in kinds
    for kind in kinds:
        answer = nablax("new", f"a-{kind}", "--kind", kind)
        assert (answer.code, answer.out) == (0, f"a-{kind}.pde\n")
        assert nablax("fmt", "--check", f"a-{kind}.pde").code == 0
    assert nablax("new", "heat").code == 2
    assert heat.read_text("utf-8").startswith("pde 1")
    assert nablax("new", "b", "--kind", "nonsense").code == 2
    assert nablax("new", "nowhere/b").code == 2
    assert "equations" in nablax("new", "-").out


def test_explain(nablax):
    every = nablax("explain")
    assert every.code == 0
    assert "P001" in every.out
    assert nablax("explain", "p001").out.startswith("# P001")
    assert json.loads(nablax("explain", "P001", "--json").out)["code"] == "P001"
    assert json.loads(nablax("explain", "--json").out)["schema"] == 1
    unknown = nablax("explain", "X999")
    assert (unknown.code, unknown.out) == (2, "")


def test_a_bug_of_ours(nablax, heat, monkeypatch):
    def crash(*arguments: object) -> None:
        raise RuntimeError("the roof is\non fire")

    monkeypatch.setattr("nablax.pipeline.run_stages", crash)
    monkeypatch.delenv("NABLAX_DEBUG", raising=False)
    answer = nablax("check", "heat.pde")
    assert (answer.code, answer.out) == (70, "")
    assert "this is a bug in nablax: RuntimeError: the roof is on fire\n" in answer.err
    assert "Traceback" not in answer.err
    monkeypatch.setenv("NABLAX_DEBUG", "1")
    assert "Traceback" in nablax("check", "heat.pde").err


def test_bare_file_means_run(nablax, heat, solved, frames):
    solved(*frames())
    answer = nablax("heat.pde", "--no-plot")
    assert answer.code == 0
    assert "heat.zarr" in answer.out


def test_check_finds_an_expectation_that_nothing_answers(nablax, heat):
    heat.write_text(heat.read_text("utf-8").replace("u ≈ sin(x)*exp(-nu*t)", "dt(u) ≈ 0"), "utf-8")
    for verb in ("check", "run"):
        answer = nablax(verb, "heat.pde")
        assert answer.code == 1
        assert (
            "error[P556]: this expectation cannot be evaluated: a frame holds values at one time"
            in answer.err
        )


def test_a_message_shows_what_stands_outside_the_spec(nablax, heat):
    answer = nablax("check", "heat.pde", "--set", "nu=2u")
    assert answer.code == 1
    assert "--> outside the spec\n  | --set nu=2u\n  | ^^^^^^^^^^^" in answer.err
    assert "pde 1" not in answer.err
