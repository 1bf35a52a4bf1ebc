"""Whatever a spec says, only diagnostics come out of the whole compiler."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nablax.frontend.parser import read_source
from nablax.frontend.render import render_all
from nablax.frontend.source import Span
from nablax.frontend.starters import kinds, starter
from nablax.overrides import Overrides
from nablax.pipeline import check

EXAMPLES = [
    *(starter(kind, kind) for kind in kinds()),
    *(path.read_text("utf-8") for path in sorted(Path(__file__).parents[2].glob("pde_examples/*.pde"))),
]
TOKEN = re.compile(r"[^\W\d]\w*|\d+(?:\.\d+)?(?:e-?\d+)?|\s+|<=|>=|.", re.DOTALL)
PIECES = [
    *"+-*/^·×=<>()[]{},:;.|",
    *(
        "0",
        "1",
        "2",
        "-1",
        "1/2",
        "10^9",
        "1e300",
        "pi",
        "e",
        "i",
        "inf",
        "u",
        "v",
        "U",
        "x",
        "y",
        "t",
        "psi",
    ),
    *(
        "dt(u)",
        "dx(u)",
        "dxx(u)",
        "dtt(u)",
        "d(u, x, 16)",
        "∂xx u",
        "Δu",
        "∇p",
        "∇·U",
        "(U·∇)U",
        "U.x",
        "u_xx",
    ),
    *(
        "sin(u)",
        "exp(u)",
        "log(u)",
        "sqrt(u)",
        "abs(u)",
        "max(u, 0)",
        "where(u < 0, 1, u)",
        "step(x)",
        "u^64",
    ),
    *("noise(1)", "gamma(x)", "besselj(0, x)", "floor(u)", "conj(u)", "re(u)", "integral(u)", "mean(u)"),
    *(
        "riesz(u, x, 1)",
        "fraclap(u, 0.5)",
        "caputo(u, t, 0.5)",
        "vary(u^2, u)",
        "dn(u)",
        "curl(U)",
        "cross(U, U)",
    ),
    *(
        "periodic",
        "all",
        "in",
        "~",
        "vector",
        "complex",
        "within 1e-3",
        "always",
        "≈",
        "spectral",
        "fd",
        "\n",
    ),
]
SLOW = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def examine(text: str, overrides: Overrides = Overrides()) -> None:  # noqa: B008 - a frozen record
    source = read_source("fuzz.pde", text)
    report = check(source, overrides)
    whole = Span(0, len(source.text))
    for diagnostic in report.diagnostics:
        assert whole.contains(diagnostic.span)
        assert diagnostic.message
        assert diagnostic.help
        assert all(whole.contains(n.span) for n in diagnostic.notes if n.span is not None)
        assert all(whole.contains(e.span) for e in diagnostic.edits)
    render_all(source, report.diagnostics).encode("utf-8")


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """A spec with tokens deleted, doubled, exchanged or replaced."""
    tokens = TOKEN.findall(draw(st.sampled_from(EXAMPLES)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(tokens) - 1))
        other = draw(st.integers(0, len(tokens) - 1))
        match draw(st.sampled_from(["delete", "double", "exchange", "replace", "insert"])):
            case "delete":
                tokens[at] = ""
            case "double":
                tokens[at] *= 2
            case "exchange":
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case "replace":
                tokens[at] = draw(st.sampled_from(PIECES))
            case "insert":
                tokens[at] += " " + draw(st.sampled_from(PIECES))
    return "".join(tokens)


_atoms = st.sampled_from(
    ["u", "v", "U", "psi", "x", "y", "t", "D", "0", "1", "2", "-1", "1/2", "pi", "e", "i", "f", "inf", "10^9"]
)
_unary = st.sampled_from(
    [
        "dt", "dx", "dxx", "dxy", "dtt", "grad", "div", "curl", "laplacian", "biharmonic", "sin", "exp",
        "log", "sqrt", "abs", "sign", "tanh", "gamma", "erf", "conj", "re", "floor", "step", "heaviside",
        "q", "dn", "integral", "mean", "noise", "acos", "atanh", "-", "|",
    ]
)  # fmt: skip
_binary = st.sampled_from(
    [
        "+",
        "-",
        "*",
        "/",
        "^",
        "·",
        "×",
        "max",
        "atan2",
        "besselj",
        "advect",
        "vary",
        "dot",
        "cross",
        "fraclap",
    ]
)


def _apply(name: str, inside: str) -> str:
    return f"|{inside}|" if name == "|" else f"{name}({inside})"


def _join(name: str, left: str, right: str) -> str:
    return f"{name}({left}, {right})" if name[0].isalpha() else f"({left}){name}({right})"


_expressions = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.builds(_apply, _unary, inner),
        st.builds(_join, _binary, inner, inner),
        st.builds(lambda a, b, c: f"where({a} < {b}, {c}, 0)", inner, inner, inner),
        st.builds(lambda a, n: f"d({a}, x, {n})", inner, st.integers(0, 20)),
        st.builds(lambda a, b: f"({a}, {b})", inner, inner),
        st.builds(lambda a: f"riesz({a}, x, D)", inner),
        st.builds(lambda a: f"({a}).x", inner),
    ),
    max_leaves=6,
)


@given(mutations())
@SLOW
def test_mutated_specs(text: str) -> None:
    examine(text)


@given(_expressions, _expressions, _expressions, st.sampled_from(["periodic", ""]))
@SLOW
def test_random_expressions(first: str, second: str, third: str, kind: str) -> None:
    walls = "" if kind else f"boundary {{ all: u = {second}, v = 0, U = 0, psi = 0 }}"
    examine(
        f"space {{ x in [0, 1] {kind}; y in [0, 1] {kind} }}\ntime {{ t in [0, 1] }}\n"
        "fields { u, v; U: vector; psi: complex }\nparams { D ~ 0.5 in [0.1, 0.9] }\n"
        f"let {{ f = {third}; q(s) = s^2 }}\n"
        f"equations {{ dt(u) = {first}; dt(v) = {second}; dt(U) = laplacian(U) + {third}*U; "
        f"i*dt(psi) = -laplacian(psi) + ({first})*psi }}\n"
        f"initial {{ u = {third}; v = 0; U = (0, x); psi = exp(i*x) }}\n{walls}\n"
        f"expect {{ u ≈ {third} within 1e-3; always max({first}) < 1 }}\n"
    )


@given(_expressions, _expressions)
@SLOW
def test_random_equations_on_a_line(first: str, second: str) -> None:
    examine(
        "space { x in [0, 1] }\ntime { t in [0, 1] }\nfields { u }\nparams { D = 0.5 }\n"
        f"equations {{ dt(u) + {first} = dxx(u) + {second} }}\ninitial {{ u = {second} }}\n"
        f"boundary {{ x = 0: u = {first}; x = 1: dn(u) + {second} = 0 }}\n"
    )


@given(
    st.sampled_from(PIECES), st.sampled_from(["n", "dt", "method", "step", "tol", "dealias", "order", "q"])
)
@SLOW
def test_values_from_outside(value: str, option: str) -> None:
    examine(EXAMPLES[0], Overrides({"c": value}, {option: value}))


HARD = {
    "tower": "2^10^10",
    "tower of e": "e^e^e^e^e^e",
    "nested exp": "exp(exp(exp(exp(100))))",
    "gamma": "gamma(10^9)",
    "bessel": "besselj(10^9, x)",
    "factor": "sin(1" + "0" * 90 + "*pi/7)",
    "trinomial": "(u+v+1)^60",
    "power": "(u+v)^1000000",
    "faa di bruno": "d(sin(u)^64, x, 16)",
    "quotient": "d(u/(1 + u^2 + v^2), x, 16)",
    "nested orders": "d(d(d(u, x, 16), x, 16), x, 16)",
    "order": "d(u, x, 1000000000)",
    "biharmonics": "biharmonic(biharmonic(biharmonic(u*v*u*v)))",
    "known": "d(sin(x^2)^20*exp(-x^2)*tanh(x), x, 16)",
    "many maxima": "max(" + ", ".join(f"u - {k}" for k in range(200)) + ")",
    "sines": "sin(" * 50 + "u" + ")" * 50,
    "derivatives": "dx(u*" * 14 + "u" + ")" * 14,
    "sum": "+".join(["u*v"] * 190),
    "product": "*".join(f"(u + {k})" for k in range(40)),
    "fraction": "*".join(f"(1/{10**15 + k})" for k in range(60)) + "*u",
    "variation": "vary((dx(u)^2 + u^2 + v^2)^16, u)",
    "where": "where(u < 0, " * 30 + "u" + ", v)" * 30,
}


@pytest.mark.parametrize("name", HARD)
def test_hard_expressions_end(name: str) -> None:
    examine(
        "space { x in [0, 1] periodic }\ntime { t in [0, 1] }\nfields { u, v }\n"
        f"equations {{ dt(u) = dxx(u) + {HARD[name]}; dt(v) = 0 }}\ninitial {{ u = 0; v = 0 }}\n"
    )


def test_a_tree_of_definitions_ends() -> None:
    chain = "; ".join(f"a{k} = a{k - 1} + sin(a{k - 1})" for k in range(1, 60))
    examine(
        "space { x in [0, 1] periodic }\ntime { t in [0, 1] }\nfields { u }\n"
        f"let {{ a0 = u; {chain} }}\nequations {{ dt(u) = dxx(u) + a59 }}\ninitial {{ u = 0 }}\n"
    )
