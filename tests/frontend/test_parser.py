"""Texts and the syntax they stand for."""

from fractions import Fraction

import pytest

from nablax.frontend.canonical import canonical
from nablax.frontend.diagnostics import Report
from nablax.frontend.parser import parse, read_source
from nablax.frontend.source import Source
from nablax.frontend.syntax import (
    Absolute,
    Binary,
    Call,
    Clause,
    Component,
    Domain,
    Inside,
    Item,
    List,
    Module,
    Name,
    Negate,
    Number,
    Partial,
    Range,
    Relation,
    String,
    Unknown,
    Vector,
)
from nablax.frontend.walk import children, walk

HEAD = "space { x in [0, 1] }\nfields { u }\n"


def parsed(text: str) -> tuple[Source, Module]:
    source = read_source("spec.pde", text)
    report = Report(source)
    module = parse(source, report)
    report.check()
    assert module is not None
    return source, module


def clause(text: str, block: str = "equations") -> Clause:
    """The first clause of a block in a text that has the other required blocks too."""
    others = {"space": "x in [0, 1]", "fields": "u", "equations": "u = 0"} | {block: text}
    _, module = parsed("\n".join(f"{name} {{ {inside} }}" for name, inside in others.items()))
    found = module.block(block)
    assert found is not None
    return found.statements[0].clauses[0]


def value(text: str) -> object:
    """The right side of `u = text`."""
    relation = clause(f"u = {text}")
    assert isinstance(relation, Relation)
    return relation.right


def same(first: str, second: str) -> bool:
    return canonical(clause(f"u = {first}")) == canonical(clause(f"u = {second}"))


@pytest.mark.parametrize(
    ("sugar", "call"),
    [
        ("∇p", "grad(p)"),
        ("∇·U", "div(U)"),
        ("∇⋅U", "div(U)"),
        ("∇×U", "curl(U)"),
        ("Δu", "laplacian(u)"),
        ("∆u", "laplacian(u)"),
        ("∇²u", "laplacian(u)"),
        ("Δ²u", "biharmonic(u)"),
        ("∇⁴u", "biharmonic(u)"),
        ("(U·∇)w", "advect(U, w)"),
        ("(2*U·∇)w", "advect(2*U, w)"),
        ("(-Δ)^s u", "fraclap(u, s)"),
        ("(-∇²)^(α/2) u", "fraclap(u, alpha/2)"),
        ("(-Δ)² u", "fraclap(u, 2)"),
        ("(−Δ)^0.5 (u + 1)", "fraclap(u + 1, 0.5)"),
        ("δF/δu", "vary(F, u)"),
        ("δF / δφ", "vary(F, phi)"),
        ("∂t u", "dt(u)"),
        ("∂xx u", "dxx(u)"),
        ("∂_x (u*v)", "dx(u*v)"),
        ("∂θ u", "dtheta(u)"),
        ("∂t ∂x u", "dt(dx(u))"),
        ("∇·∇u", "div(grad(u))"),
        ("-∇p + ν*ΔU", "-grad(p) + nu*laplacian(U)"),
    ],
)
def test_sugar_is_a_call(sugar: str, call: str) -> None:
    assert same(sugar, call)


def test_sugar_keeps_its_spelling() -> None:
    node = value("Δu")
    assert isinstance(node, Call)
    assert (node.function.id, node.sugar) == ("laplacian", "Δ")
    plain = value("laplacian(u)")
    assert isinstance(plain, Call)
    assert plain.sugar is None
    partial = value("∂_xx u")
    assert isinstance(partial, Partial)
    assert partial.letters.id == "xx"


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("a + b + c", "(a + b) + c"),
        ("a - b + c", "(a - b) + c"),
        ("a/b*c", "(a/b)*c"),
        ("a + b*c", "a + (b*c)"),
        ("a^b^c", "a^(b^c)"),
        ("-a^2", "-(a^2)"),
        ("a^-b^2", "a^(-(b^2))"),
        ("-a*b", "(-a)*b"),
        ("a*-b", "a*(-b)"),
        ("+a", "a"),
        ("u²", "u^2"),
        ("u⁻¹²", "u^(-12)"),
        ("x_1²", "x_1^2"),
        ("U·V + a", "(U·V) + a"),
        ("∇u·∇v", "grad(u)·grad(v)"),
        ("∇×U×V", "curl(U)×V"),
        ("Δu*v", "laplacian(u)*v"),
        ("2.50", "2.5"),
        ("1e-3", "0.001"),
        ("|a|*|b|", "(|a|)*(|b|)"),
        ("||a| - b|", "|(|a| - b)|"),
        ("ν_t + Ω", "nu_t + Omega"),
        ("Ω", "\u2126"),  # the ohm sign, which NFC makes an omega
        ("µ", "mu"),  # the micro sign
        ("π", "pi"),
        ("f(a,\n  b)", "f(a, b)"),
        ("a +\n  b", "a + b"),
        ("a + # why\n\n  b", "a + b"),
        ("(a\n + b)", "a + b"),
    ],
)
def test_means_the_same(text: str, means: str) -> None:
    assert same(text, means)


def test_numbers_are_exact() -> None:
    node = value("0.1")
    assert isinstance(node, Number)
    assert (node.value, node.text) == (Fraction(1, 10), "0.1")


def test_forms() -> None:
    domain = clause("x[1..100] in [-1, 1] periodic", "space")
    assert isinstance(domain, Domain)
    assert isinstance(domain.target, Item)
    assert isinstance(domain.target.index, Range)
    assert isinstance(domain.interval, List)
    assert domain.qualifier is not None
    inside = clause("inside x^2 < 1", "space")
    assert isinstance(inside, Inside)
    unknown = clause("D ~ 0.1 in [1e-3, 1]", "params")
    assert isinstance(unknown, Unknown)
    assert unknown.interval is not None
    free = clause("C(x) ~ 0.5", "params")
    assert isinstance(free, Unknown)
    assert free.interval is None
    expected = clause("always U.x ~= sin(x) within 1e-3", "expect")
    assert isinstance(expected, Relation)
    assert (expected.operator, expected.always) == ("≈", True)
    assert isinstance(expected.within, Number)
    assert isinstance(expected.left, Component)
    data = clause('s = csv("a.csv", at=[x, t])', "data")
    assert isinstance(data, Relation)
    assert isinstance(data.right, Call)
    first, second = data.right.arguments
    assert isinstance(first.value, String)
    assert second.name is not None
    assert second.name.id == "at"
    assert isinstance(value("(a, b)"), Vector)
    assert isinstance(value("|a|"), Absolute)
    assert isinstance(value("-a"), Negate)


def test_condition_of_where() -> None:
    call = value("where(x = 0, a, b)")
    assert isinstance(call, Call)
    assert isinstance(call.arguments[0].value, Relation)
    assert call.arguments[0].name is None


def test_fields_and_their_kinds() -> None:
    _, module = parsed("space { x in [0,1] }\nfields { u, v; A: complex vector }\nequations { u = 0 }")
    fields = module.block("fields")
    assert fields is not None
    first, second = fields.statements
    assert [n.id for n in first.clauses if isinstance(n, Name)] == ["u", "v"]
    assert [n.id for n in second.where if isinstance(n, Name)] == ["A"]
    assert [n.id for n in second.clauses if isinstance(n, Name)] == ["complex", "vector"]


def test_head_labels_places_and_separators() -> None:
    _, module = parsed(
        'pde 1\n"A title"\nspace polar { x in [0, 1] }; fields { u };\n'
        "equations\n{ [one] u = 0; [two] dt(u) = 1;; }\nboundary { x = 0, x = 1: u = 0, dx(u) = 1 }  # end"
    )
    assert module.edition is not None
    assert module.title is not None
    assert module.title.value == "A title"
    space, equations, boundary = (module.block(n) for n in ("space", "equations", "boundary"))
    assert space is not None
    assert space.modifier is not None
    assert space.modifier.id == "polar"
    assert equations is not None
    assert [s.label.id for s in equations.statements if s.label] == ["one", "two"]
    assert boundary is not None
    assert len(boundary.statements[0].where) == len(boundary.statements[0].clauses) == 2


def test_line_breaks_and_composition_are_normalised() -> None:
    source = read_source("spec.pde", "\ufeff" + HEAD.replace("\n", "\r\n") + "equations { e\u0301 = 0 }\r")
    assert "\r" not in source.text
    assert "é" in source.text
    assert not source.text.startswith("\ufeff")
    report = Report(source)
    assert parse(source, report) is not None
    assert not report.diagnostics


def test_spans_lie_in_their_parents_and_cover_brackets() -> None:
    source, module = parsed(HEAD + "equations { [m] (u + 1)*2 = -(U·∇)w + f((a), b=(2)) + ∂t (u) + (a, b) }")
    for node in walk(module):
        assert all(node.span.contains(inner.span) for inner in children(node))
    products = [n for n in walk(module) if isinstance(n, Binary) and n.operator == "*"]
    assert [source.slice(n.span) for n in products] == ["(u + 1)*2"]
    partials = [n for n in walk(module) if isinstance(n, Partial)]
    assert [source.slice(n.span) for n in partials] == ["∂t (u)"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("equations { u = ; v = (1; w = 2 3; x == 4 }", ["P014", "P001", "P008", "P006"]),
        ("equations {\n u = (1\n v = 2 +\n w = = 3\n u = 1\n}", ["P001", "P016"]),
        ("equations { u = 1\ninitial { u = 2 }", ["P001"]),
        ("equations { u = (1\ninitial { u = 2 ) }", ["P001", "P001", "P002"]),
        ("equations { u = [1) }", ["P001"]),
        ("equations { u = |1 }", ["P001"]),
        ("equations { u = {1} }", ["P002"]),
        ("equations { u = 1 } }", ["P002"]),
        ("equations { u = 1 }\nequation { u = 1 }", ["P003"]),
        ("equations { u = 1 }\nwhatever { u = 1 }", ["P003"]),
        ("equations { u = 1 }\ninitial\nboundary { all: u = 0 }", ["P014"]),
        ("equations { u = 1 } 3 + 4\nsolve { n = 1 }", ["P021"]),
        ('equations { u = 1 }\n"late title"', ["P021"]),
        ("equations { u = 1 < 2 }", ["P016"]),
        ("equations { u < 2 }", ["P016"]),
        ("equations { u = (v < 2) }", ["P016"]),
        ("equations { u = max(v < 2, 1) }", ["P016"]),
        ("equations { always u = 2 }", ["P016"]),
        ("equations { u = 2 within 3 }", ["P016"]),
        ("equations { u = 1 } expect { u = 1 }", ["P016"]),
        ("equations { u }", ["P015"]),
        ("equations { u = 1, v = 2 }", ["P015"]),
        ("equations { x = 0: u = 1 }", ["P015"]),
        ("equations { u = 1 } initial { [a] u = 1 }", ["P015"]),
        ("equations { u = 1 } boundary { u = 1 }", ["P015"]),
        ("equations { u = 1 } boundary { 2*x = 1: u = 1 }", ["P015"]),
        ("equations { u = 1 } solve { n }", ["P015"]),
        ("equations { u = 1 } time fast { t in [0, 1] }", ["P015"]),
        ("equations { u = 1 } time { t }", ["P015"]),
        ("equations { [a] }", ["P014"]),
        ("equations { u = x: 1: 2 }", ["P014"]),
        ("equations { u = 1..2 }", ["P014"]),
        ("equations { u = () }", ["P014"]),
        ("equations { u = U. }", ["P014"]),
        ("equations { u = f(,) }", ["P014"]),
        ("equations { u = 1 } time { t in 3 }", ["P014"]),
        ("equations { u = v w }", ["P008"]),
        ("equations { u = 2(v + 1) }", ["P008"]),
        ("equations { u = nu Δu }", ["P008"]),
        ("equations { u = sin²(x) }", ["P008"]),
        ("equations { u = ∂²u/∂x∂t + ∂/∂x u }", ["P009", "P009"]),
        ("equations { - u }", ["P010"]),
        ("equations { -u = 1 }", []),
        ("equations { u = 1e309 + 1e-310 + 0e5 + 1e99999999999 }", ["P018", "P018", "P018"]),
        ("equations { u = " + "1" * 101 + " }", ["P018"]),
        ("equations { u = " + "+".join("1" * 201) + " }", ["P017"]),
        ("equations { u = " + "+".join("1" * 190) + " }", []),
        ("equations { u = in }", ["P022"]),
        ("equations { always = 1 }", ["P022"]),
        ("equations { u = ∂xx u^2 + (Δu)^2 }", ["P020"]),
    ],
)
def test_codes(text: str, codes: list[str]) -> None:
    source = read_source("spec.pde", HEAD + text)
    report = Report(source)
    parse(source, report)
    found = [d.code for d in sorted(report.diagnostics, key=lambda d: d.span)]
    assert found == codes


def test_good_statements_are_kept_beside_faulty_ones() -> None:
    source = read_source("spec.pde", HEAD + "equations {\n u = (1\n v = 2\n w = 3 3\n u = 4\n}")
    report = Report(source)
    module = parse(source, report)
    assert module is not None
    equations = module.block("equations")
    assert equations is not None
    assert len(equations.statements) == 2


def test_nothing_usable() -> None:
    source = read_source("spec.pde", "")
    report = Report(source)
    assert parse(source, report) is None
    assert [d.code for d in report.diagnostics] == ["P005"]
