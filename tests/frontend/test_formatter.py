"""The formatter changes the layout and nothing else, and is content with its own work."""

import pytest
from hypothesis import given, settings

from nablax.frontend.canonical import Entry, canonical
from nablax.frontend.diagnostics import Report, SpecError
from nablax.frontend.formatter import format_text
from nablax.frontend.lexer import scan
from nablax.frontend.parser import parse, read_source
from nablax.frontend.starters import kinds, starter

from .spec_texts import EXAMPLES, mutations, specs


def meaning(text: str) -> tuple[Entry, ...]:
    source = read_source("spec.pde", text)
    report = Report(source)
    module = parse(source, report)
    report.check()
    assert module is not None
    return canonical(module)


def comments(text: str) -> list[str]:
    source = read_source("spec.pde", text)
    return [source.slice(t.span).rstrip() for t in scan(source, Report(source)) if t.kind == "COMMENT"]


def formatted(text: str, unicode: bool = False) -> str:
    return format_text(read_source("spec.pde", text), unicode=unicode)


def examine(text: str, unicode: bool) -> None:
    once = formatted(text, unicode)
    assert meaning(once) == meaning(text)
    assert formatted(once, unicode) == once
    assert comments(once) == comments(text)
    lines = once.split("\n")
    assert all(line == line.rstrip() for line in lines)
    assert "\n\n\n" not in once
    assert once.endswith("\n")


@pytest.mark.parametrize("unicode", [False, True])
@given(text=specs())
@settings(deadline=None, max_examples=100)
def test_generated_specs(text: str, unicode: bool) -> None:
    examine(text, unicode)


@given(mutations())
@settings(deadline=None, max_examples=100)
def test_mutated_examples(text: str) -> None:
    try:
        meaning(text)
    except SpecError:
        with pytest.raises(SpecError):
            formatted(text)
        return
    examine(text, unicode=False)
    examine(text, unicode=True)


@pytest.mark.parametrize("text", EXAMPLES)
@pytest.mark.parametrize("unicode", [False, True])
def test_examples(text: str, unicode: bool) -> None:
    examine(text, unicode)


@pytest.mark.parametrize("kind", kinds())
def test_starters_are_laid_out(kind: str) -> None:
    assert formatted(starter(kind, kind)) == starter(kind, kind)


HEAD = "space { x in [0, 1] }\ntime { t in [0, 1] }\nfields { u }\n"


def body(text: str, unicode: bool = False) -> str:
    return formatted(HEAD + text, unicode).removeprefix(HEAD)


def test_blocks_are_indented_and_blank_lines_squeezed() -> None:
    text = "equations {\n\n\n      dt(u)=dxx( u )   ;\n\n\n\n u_x  =0}"
    assert body(text) == "equations {\n  dt(u) = dxx(u)\n\n  u_x   = 0\n}\n".replace("u_x   ", "u_x ")


def test_columns_of_the_author_are_kept() -> None:
    text = "equations { u = 0 }\nsolve {\n method   = fd\n n = [1,2]  # cells\n dt=1\n}"
    assert body(text) == (
        "equations { u = 0 }\nsolve {\n  method = fd\n  n      = [1, 2]  # cells\n  dt     = 1\n}\n"
    )


def test_comments_in_neighbouring_lines_share_a_column() -> None:
    text = "equations { u = 0 }\nparams {\n a = 1 # one\n bcd = 2 # two\n\n e = 3 # three\n}"
    assert body(text).endswith("params {\n  a = 1    # one\n  bcd = 2  # two\n\n  e = 3  # three\n}\n")


def test_a_statement_over_several_lines() -> None:
    text = "equations {\ndt(u) = dxx(u) + # first\n\n   f(\n u,\n 1\n)\n}"
    assert body(text) == ("equations {\n  dt(u) = dxx(u) +  # first\n      f(\n      u,\n      1\n  )\n}\n")


@pytest.mark.parametrize(
    ("written", "signs"),
    [
        ("dt(u) = laplacian(u)", "∂t u = Δu"),
        ("dtxx(u) = dq(u)", "∂txx u = dq(u)"),
        ("u = laplacian(u)^2", "u = laplacian(u)²"),
        ("u = laplacian(u + 1)", "u = Δ(u + 1)"),
        ("u = grad((u) + (1)) + div(+u)", "u = ∇((u) + (1)) + ∇·(+u)"),
        ("u = div((u, 1))", "u = ∇·(u, 1)"),
        ("u = div(nu*grad(u))", "u = ∇·(ν*∇u)"),
        ("u = laplacian(exp(u))", "u = Δ exp(u)"),
        ("u = x^2 + x^-2 + x^2^3 + x^0.5 + 2^12", "u = x² + x^-2 + x^2^3 + x^0.5 + 2¹²"),
        ("u = gamma(x) + gamma*Delta + delta_a/delta_b", "u = gamma(x) + γ*Delta + delta_a/delta_b"),
        ("u = sin(2*pi*x) + lambda_2", "u = sin(2*π*x) + λ_2"),
        ("u = f(sigma=1)", "u = f(sigma=1)"),
        ("u = advect(u, u) + biharmonic(u) + curl(u)", "u = (u·∇)u + Δ²u + ∇×u"),
        ("u = laplacian(u, 3)", "u = laplacian(u, 3)"),
    ],
)
def test_unicode(written: str, signs: str) -> None:
    assert body(f"equations {{ {written} }}", unicode=True) == f"equations {{ {signs} }}\n"


def test_a_function_of_the_users_is_no_derivative() -> None:
    text = "let { dx(s) = s }\nequations { dt(u) = dx(u) }\n"
    assert "= dx(u)" in body(text, unicode=True)


def test_errors_are_raised() -> None:
    with pytest.raises(SpecError):
        formatted("equations {")
