r"""What LaTeX commands mean here: `\alpha` is a name, `\frac{\partial u}{\partial t}` a derivative."""

import re
from collections.abc import Iterator

from nablax.frontend.diagnostics import Edit, Report
from nablax.frontend.names import GREEK_NAMES, canonical_name
from nablax.frontend.source import Span
from nablax.frontend.tokens import Token

# What the braces of commands are read as, by their places in the text.
Braces = dict[int, tuple[Token, ...]]

_POWER = r"(?:\^\s*(?:\{\s*\d+\s*\}|\d))"
_SIGN = r"(?:\\partial|∂|\\mathrm\s*\{\s*d\s*\}|d)"
_WORD = r"\\?[A-Za-z_Α-ω][A-Za-z0-9_Α-ω]*"
_ONE = rf"{_SIGN}\s*{_WORD}\s*{_POWER}?\s*"

# Atomic: letters `d` in a row could be split in very many ways.
FRACTION = rf"\\[dt]?frac\s*\{{\s*{_SIGN}\s*{_POWER}?\s*(?:{_WORD})?\s*\}}\s*\{{\s*(?>(?:{_ONE})+)\}}"
PARTIAL = rf"\\partial(?:\s*{_POWER})?\s*_\s*(?:\{{\s*[A-Za-z]+\s*\}}|[A-Za-z])(?:\s*{_POWER})?"
NABLA = rf"\\nabla(?![A-Za-z])(?:\s*(?:{_POWER}|\\cdot(?![A-Za-z])|\\times(?![A-Za-z])))?"
COMMAND = r"\\(?:[A-Za-z]+|[,;:!\\])"
POWER = r"\^\s*(?=\{)"
LOWERED = r"[^\W\d_][^\W_]*_\{\s*[^\W_]+\s*\}"

_FUNCTIONS = (
    "sin", "cos", "tan", "exp", "log", "sinh", "cosh", "tanh", "max", "min",
)  # fmt: skip
_SPACES = (
    "left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "quad", "qquad", "displaystyle", "limits",
    ",", ";", ":", "!", "\\",
)  # fmt: skip
_SIGNS = {
    "cdot": ("STAR", "*"), "times": ("STAR", "*"), "ast": ("STAR", "*"), "le": ("RELATION", "<="),
    "leq": ("RELATION", "<="), "ge": ("RELATION", ">="), "geq": ("RELATION", ">="),
    "approx": ("RELATION", "≈"), "lbrace": ("LPAR", "("), "rbrace": ("RPAR", ")"),
    "Delta": ("LAPLACE", "Δ"), "infty": ("NAME", "inf"), "ln": ("NAME", "log"),
    "arcsin": ("NAME", "asin"), "arccos": ("NAME", "acos"), "arctan": ("NAME", "atan"),
    "in": ("IN", "in"),
}  # fmt: skip
# Commands with one argument in braces: the function that they stand for, empty where they only set type.
_BRACED = {
    "sqrt": "sqrt", "dot": "dt", "ddot": "dtt", "mathbf": "", "boldsymbol": "", "vec": "", "mathrm": "",
    "text": "", "operatorname": "", "mathit": "", "bm": "",
}  # fmt: skip
_NABLAS = {"∇": "NABLA", "∇·": "NABLA_DOT", "∇×": "NABLA_CROSS", "Δ": "LAPLACE", "Δ²": "BILAPLACE"}
_REACH = 2000  # how far a closing brace is looked for


def read(kind: str, text: str, span: Span, braces: Braces, report: Report) -> Iterator[Token]:
    """The tokens that a piece of LaTeX stands for, reported with the edit that writes them."""
    match kind:
        case "LATEX_FRACTION":
            operand, letters = _fraction_parts(text)
            written = f"d{letters}({operand})" if operand else f"∂{letters}"
            _derivative("a derivative is written as a fraction", span, written, report)
            yield Token("PARTIAL", "∂" + canonical_name(letters), span)
            if operand:
                yield Token("NAME", canonical_name(operand), span)
        case "LATEX_PARTIAL":
            letters = _partial_letters(text)
            _derivative("a derivative in another notation", span, f"∂{letters}", report)
            yield Token("PARTIAL", "∂" + letters, span)
        case "LATEX_NABLA":
            power = re.search(r"\d", text)
            ending = "·" if "cdot" in text else "×" if "times" in text else ""
            sign = "∇" + ending if power is None else {"2": "Δ", "4": "Δ²"}.get(power.group(), "")
            _told(
                text, span, [Edit(span, sign)] if sign else [], f"write `{sign or 'laplacian(...)'}`", report
            )
            yield Token(_NABLAS.get(sign, "UNEXPECTED"), sign, span)
        case "LATEX_LOWERED":
            name = re.sub(r"[{}\s]", "", text)
            _told(text, span, [Edit(span, name)], f"write `{name}`", report)
            yield Token("NAME", canonical_name(name), span)
        case "LATEX_POWER":
            edits = _read_braces(span.end, ("(", ")"), braces, report)
            _told("^{", span, edits, "write `^(...)`", report)
            yield Token("CARET", "^", span)
        case _:
            yield from _command(text, span, braces, report)


def _command(text: str, span: Span, braces: Braces, report: Report) -> Iterator[Token]:
    word, at = text[1:], span.end
    brace = report.source.text[at : at + 1] == "{"
    if brace and word in ("frac", "dfrac", "tfrac"):
        first = _read_braces(at, ("((", ")"), braces, report)
        second = _read_braces(first[-1].span.end, ("/(", "))"), braces, report) if first else []
        edits = [Edit(span, ""), *first, *second] if second else []
        _told(text, span, edits, "write `((a)/(b))`", report)
        if not edits:
            yield Token("UNEXPECTED", text, span)
    elif brace and word in _BRACED:
        name = _BRACED[word]
        inner = _read_braces(at, ("(", ")") if name else ("", ""), braces, report)
        help = f"write `{name}(...)`" if name else "remove the command and its braces"
        _told(text, span, [Edit(span, name), *inner] if inner else [], help, report)
        if name or not inner:
            yield Token("NAME" if inner else "UNEXPECTED", name or text, span)
    else:
        kind, name = _meaning(word)
        edits = [] if kind == "UNEXPECTED" else [Edit(span, name)]
        help = f"write `{name}`" if name else "remove it"
        if kind == "UNEXPECTED":
            help = "write formulas in words: `dx(u)`, `laplacian(u)`, `sin(x)`, `alpha`"
        _told(text, span, edits, help, report)
        if kind:
            yield Token(kind, name, span)


def _meaning(word: str) -> tuple[str, str]:
    """The kind and text of the token that a command stands for; an empty kind for one of spacing."""
    if word in _SPACES:
        return ("", "")
    if word in _SIGNS:
        return _SIGNS[word]
    name = word.removeprefix("var")
    return ("NAME", name) if name in GREEK_NAMES or word in _FUNCTIONS else ("UNEXPECTED", "")


def _read_braces(at: int, read: tuple[str, str], braces: Braces, report: Report) -> list[Edit]:
    """Read the pair of braces that opens at `at` as `read`, if it closes soon: the edits that write it so."""
    text, depth = report.source.text, 0
    if text[at : at + 1] != "{":
        return []
    for place in range(at, min(at + _REACH, len(text))):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            found = []
            for start, signs in zip((at, place), read, strict=True):
                span = Span(start, start + 1)
                braces[start] = tuple(Token(_KIND[sign], sign, span) for sign in signs)
                found.append(Edit(span, signs))
            return found
    return []


_KIND = {"(": "LPAR", ")": "RPAR", "/": "SLASH"}


def _told(text: str, span: Span, edits: list[Edit], help: str, report: Report) -> None:
    report.error("P023", span, f"`{text}` is LaTeX", label="not of this language", help=help, edits=edits)


def _apart(written: str, span: Span, report: Report) -> str:
    """A blank before what stands right behind, where the two would read as one word."""
    behind = report.source.text[span.end : span.end + 1]
    return " " if behind.isalnum() and written[-1:].isalnum() else ""


def _derivative(message: str, span: Span, written: str, report: Report) -> None:
    shown = written.strip()
    report.error(
        "P009", span, message, label=f"`{shown}` in this language",
        help=f"write `{shown}`" + ("" if "(" in shown else " before its operand"),
        edits=[Edit(span, written + _apart(written, span, report))],
    )  # fmt: skip


def _fraction_parts(text: str) -> tuple[str, str]:
    r"""The operand and the letters of the axes of `\frac{\partial^2 u}{\partial x^2}`: `("u", "xx")`."""
    above, below = re.findall(r"\{((?:[^{}]|\{[^{}]*\})*)\}", text)[:2]
    operand = re.sub(rf"^\s*{_SIGN}\s*{_POWER}?", "", above).strip().removeprefix("\\")
    letters = ""
    for part in re.findall(_ONE, below):
        axis = re.sub(rf"^{_SIGN}", "", part)
        times = re.search(_POWER, axis)
        name = (axis[: times.start()] if times else axis).strip().removeprefix("\\")
        names = name.split("d") if part.startswith("d") and len(name) > 1 else [name]  # `dxdy`
        letters += "".join(names[:-1]) + names[-1] * _times(times)
    return operand, letters


def _partial_letters(text: str) -> str:
    r"""The letters of the axes of `\partial_{xx}`, `\partial_x^2` and `\partial^2_x`."""
    times = re.search(_POWER, text)
    letters = re.search(r"_\s*\{?\s*([A-Za-z]+)", text)
    assert letters is not None  # the pattern has a subscript
    return letters.group(1) * _times(times)


def _times(power: re.Match[str] | None) -> int:
    return min(int(re.sub(r"\D", "", power.group())), 9) if power else 1
