"""Spec texts for the tests of the frontend: what nablax ships, and generated ones."""

from pathlib import Path

from hypothesis import strategies as st

from nablax.frontend.starters import kinds, starter

EXAMPLES = [
    *(starter(kind, kind) for kind in kinds()),
    *(path.read_text("utf-8") for path in sorted(Path(__file__).parents[2].glob("pde_examples/*.pde"))),
]

PIECES = [
    *"+-*/^·×⋅=<>~≈≤≥|()[]{},:;.#\"'@\\!$?&",
    *("==", "**", "<=", ">=", "~=", "..", "\n", "\r\n", "\t", " ", "  ", "\u00a0", "\u2028", "\x00", "\x1b"),
    *("∂", "∂t", "∂xx", "∂_x", "∂u/∂t", "∂²u/∂x²", "∇", "∇·", "∇ ×", "∇²", "Δ", "Δ²", "∇⁴", "δF/δu", "(-Δ)^"),
    *("u", "x", "t", "ν", "nu", "U.x", "u_t", "delta", "ψ", "漢字", "e\u0301", "_", "in", "within", "inside"),
    *("always", "where(", "sin(", "dt(", "laplacian(", "grad(", "dxx", "periodic", "all", "²", "⁻¹", "⁰"),
    *("0", "1", "2u", "1e3", "1e400", "1e-999999", ".5", "2.", "1..3", '"text"', '"open', "# note", "pde 1"),
    *(
        "space",
        "time",
        "fields",
        "params",
        "let",
        "equations",
        "initial",
        "boundary",
        "data",
        "solve",
        "expect",
    ),
    *("du", "d", "d²u", "d2u", "/dx", "/dx²", "/(dx dt)", "diff(", "D[", "{x, 2}", "u[", ".diff(", "'", "''"),
    *("∂ₓ", "uₓₓ", "∂_x^2", "∂^2", "u(0, t)", "u(x, 0)", "lap u", "nabla^2", ":=", ".^", "//", "%", "∈"),
    *("\\frac{", "\\partial", "_{", "^{", "}{", "\\nabla^2", "\\dot{u}", "\\alpha", "dde.grad.jacobian("),
    *("space {", "fields { u }", "equations {", "}", "[label]", "[0, 1]", "x in [0, 1]", "u = 0", "x = 0:"),
]

soups = st.lists(st.sampled_from(PIECES), max_size=60).flatmap(
    lambda pieces: st.sampled_from(["", " "]).map(lambda joint: joint.join(pieces))
)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """One of the examples with stretches of it deleted, doubled, swapped or replaced."""
    text = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        first, second = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
        near = min(second, first + draw(st.integers(0, 12)))
        match draw(st.sampled_from(["delete", "insert", "double", "swap", "cut", "replace"])):
            case "delete":
                text = text[:first] + text[near:]
            case "insert":
                text = text[:first] + draw(st.sampled_from(PIECES)) + text[first:]
            case "double":
                text = text[:near] + text[first:near] + text[near:]
            case "swap":
                text = text[:first] + text[near : near + 5] + text[first:near] + text[near + 5 :]
            case "cut":
                text = text[:second]
            case "replace":
                text = text[:first] + draw(st.sampled_from(PIECES)) + text[near:]
    return text


_blanks = st.sampled_from(["", "", " ", "  "])
_names = st.sampled_from(["u", "v", "x", "nu", "ν", "alpha", "delta", "psi_1", "T_air", "λ"])
_numbers = st.sampled_from(["0", "1", "2", "10", "0.5", ".5", "2.", "1e-3", "3.25E+2"])


def _joined(*parts: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(p) if isinstance(p, str) else p for p in parts)).map("".join)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    atom = st.one_of(_names, _numbers, inner.map(lambda text: f"({text})"))
    call = _joined(
        st.sampled_from(
            ["sin", "dt", "dxx", "dtx", "laplacian", "grad", "div", "curl", "biharmonic", "q", "gamma"]
        ),
        _blanks, "(", _blanks, inner, _blanks, ")",
    )  # fmt: skip
    sugar = st.sampled_from(
        ["Δ", "∇", "∇·", "∇ ×", "∇²", "Δ² ", "∂t ", "∂xx ", "(u·∇)", "(-Δ)^s ", "(-Δ)^2 "]
    )
    return st.one_of(
        atom,
        call,
        _joined(sugar, st.one_of(atom, call)),
        _joined(inner, _blanks, st.sampled_from([*"+-*/·×", "+\n"]), _blanks, inner),
        _joined(atom, _blanks, "^", _blanks, st.sampled_from(["2", "3", "10", "-1", "u", "(1/2)"])),
        _joined(call, st.sampled_from(["^2", "²", ".x", "[k]"])),
        _joined("-", _blanks, inner),
        _joined("|", _blanks, atom, _blanks, "|"),
        _joined("(", inner, _blanks, ",", _blanks, inner, ")"),
        _joined("where(", inner, _blanks, "<", _blanks, inner, ", 1, 2)"),
        _joined("advect(u, ", inner, ")"),
        _joined("f(", inner, ", base", _blanks, "=", _blanks, atom, ")"),
        st.just("δF/δu"),
    )


expressions = st.recursive(st.one_of(_names, _numbers), _grown, max_leaves=8)
_comments = st.sampled_from(["", "", "# note", "  #note", "\n\n\n# alone\n"])


@st.composite
def specs(draw: st.DrawFn) -> str:
    """A text without syntax errors, laid out at random."""

    def blank() -> str:
        return draw(_blanks)

    def ending() -> str:
        return (
            draw(_comments) + "\n" if draw(st.booleans()) else draw(st.sampled_from([";", "\n\n\n", " ;\n "]))
        )

    label = draw(st.sampled_from(["", "[a] ", "[momentum]   "]))
    equations = draw(st.lists(st.tuples(expressions, expressions), min_size=1, max_size=4))
    body = "".join(f"{label}{left}{blank()}={blank()}{right}{blank()}{ending()}" for left, right in equations)
    opening = draw(st.sampled_from(["{", "{\n", "  {  ", "{ # first\n", "\n{"]))
    return (
        f"space{blank()}{{ x in [0,1]{blank()}periodic }}{draw(_comments)}\n"
        f"time {{ t in[0 , 1]}} {draw(st.sampled_from(['', '# c']))}\n\n\nfields {{u; U : complex  vector}}\n"
        f"equations {opening}\n{body}\n}}"
        f"\nboundary {{\n x = 0:   u=0 , dx(u)=0 # left\n x=1: u = 2\n}}  \n"
        f"expect {{ always max(|u|)<=1 ;u~=1 within 1e-3 }}{draw(_comments)}"
    )
