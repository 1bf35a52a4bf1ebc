"""Text to tokens, with comments and line breaks; wrong spellings are reported and read as the right one."""

import re
from collections.abc import Iterator

from nablax.frontend import latex
from nablax.frontend.diagnostics import Edit, Report
from nablax.frontend.limits import ERRORS_PARSED, LARGEST_EXPONENT, NUMBER_DIGITS
from nablax.frontend.names import canonical_name
from nablax.frontend.source import Source, Span
from nablax.frontend.tokens import Token

SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
VULGAR = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞↉"
_DIGIT_OF = str.maketrans(SUPERSCRIPTS + "⁻", "0123456789-")
_NOT_IN_NAMES = SUPERSCRIPTS + VULGAR + "⁻⁺ⁿⁱΔ"
_NAME = rf"[^\W\d{_NOT_IN_NAMES}][^\W{_NOT_IN_NAMES}]*"
_AXES = rf"[^\W\d_{_NOT_IN_NAMES}][^\W_{_NOT_IN_NAMES}]*"
_BLANK = r"[^\S\n]*"
_POWER = rf"(?:[{SUPERSCRIPTS}]|\^[0-9])"
_ALONG = rf"∂{_BLANK}{_AXES}{_POWER}?"

_PATTERNS = (
    ("FOREIGN_COMMENT", r"(?:(?m:^)[^\S\n]*%|//)[^\n]*"),  # elsewhere `%` may be meant as a remainder
    ("SPACE", r"[^\S\n]+"),
    ("NEWLINE", r"\n"),
    ("COMMENT", r"\#[^\n]*"),
    ("STRING", r'"[^"\n]*"'),
    ("OPEN_STRING", r'"[^"\n]*'),
    ("FRACTION", rf"∂{_POWER}?{_BLANK}(?:{_NAME})?{_BLANK}/{_BLANK}"
                 rf"(?:{_ALONG}(?:{_BLANK}{_ALONG})*|\({_BLANK}{_ALONG}(?:{_BLANK}{_ALONG})*{_BLANK}\))"),
    ("LATEX_FRACTION", latex.FRACTION),
    ("LATEX_PARTIAL", latex.PARTIAL),
    ("LATEX_NABLA", latex.NABLA),
    ("LATEX", latex.COMMAND),
    ("LATEX_LOWERED", latex.LOWERED),
    ("LATEX_POWER", latex.POWER),
    ("REPEATED", rf"∂(?:{_POWER}_?[^\W\d_{_NOT_IN_NAMES}](?![^\W_{_NOT_IN_NAMES}])"
                 rf"|_?[^\W\d_{_NOT_IN_NAMES}]{_POWER})"),
    ("REPEATED_BARE", rf"∂{_POWER}(?={_BLANK}{_NAME})"),
    ("VARIATION", rf"δ{_NAME}{_BLANK}/{_BLANK}δ{_NAME}"),
    ("PARTIAL", rf"∂_?{_AXES}"),
    ("BILAPLACE", rf"(?:[Δ∆]²|∇⁴)(?![{SUPERSCRIPTS}])"),
    ("LAPLACE", rf"∇²(?![{SUPERSCRIPTS}])|[Δ∆]"),
    ("NABLA_DOT", rf"∇{_BLANK}[·⋅]"),
    ("NABLA_CROSS", rf"∇{_BLANK}×"),
    ("NABLA", r"∇"),
    ("VULGAR", rf"[0-9]*[{VULGAR}]"),
    ("NUMBER", r"(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"),
    ("NAME", _NAME),
    ("SUPER", rf"⁻?[{SUPERSCRIPTS}]+"),
    ("STARS", r"\*\*"),
    ("EQUALS", r"==+|:="),
    ("ELEMENTWISE", r"\.[*/^]"),
    ("PRIME", r"(?<=[\w)])['’′″]+"),
    ("ELEMENT", r"∈"),
    ("RELATION", r"<=|>=|~=|[≈≤≥<>=]"),
    ("RANGE", r"\.\."),
    ("SIGN", r"[-−+*/^·⋅×.,:;~|()\[\]{}]"),
    ("UNEXPECTED", r"."),
)  # fmt: skip
_MASTER = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS))

_SIGNS = {
    "-": ("MINUS", "-"), "−": ("MINUS", "-"), "+": ("PLUS", "+"), "*": ("STAR", "*"), "/": ("SLASH", "/"),
    "^": ("CARET", "^"), "·": ("DOT_SIGN", "·"), "⋅": ("DOT_SIGN", "·"), "×": ("CROSS_SIGN", "×"),
    ".": ("DOT", "."), ",": ("_COMMA", ","), ":": ("COLON", ":"), ";": ("SEMICOLON", ";"),
    "~": ("TILDE", "~"),
    "|": ("BAR", "|"), "(": ("LPAR", "("), ")": ("RPAR", ")"), "[": ("LSQB", "["), "]": ("RSQB", "]"),
    "{": ("LBRACE", "{"), "}": ("RBRACE", "}"),
}  # fmt: skip
_RELATIONS = {"~=": "≈", "≤": "<=", "≥": ">="}
WORDS = {"in": "IN", "within": "WITHIN", "inside": "INSIDE", "always": "ALWAYS"}

# What a reader may have meant by a character that the language does not have.
_MEANT = {
    "∫": "write `integral(u)` or `integral(u, x)`",
    "∑": "write `sum(x[k], k)`",
    "Σ": "write `sum(x[k], k)`",
    "∂": "write the axis after it: `∂t u`, `∂xx u`",
    "√": "write `sqrt(...)`",
    "∞": "write `inf`",
    "≠": "the relations are = < > <= >= and ≈",
    "!": "the relations are = < > <= >= and ≈",
    "'": "text stands between double quotes, and a derivative is `dx(u)` or `u_x`",
    "‘": "text stands between double quotes",
    "’": "text stands between double quotes",
    "“": 'text stands between straight double quotes: "..."',
    "”": 'text stands between straight double quotes: "..."',
    "–": "a minus is `-` (or the sign `−`)",
    "—": "a minus is `-` (or the sign `−`)",
    "%": "a comment begins with `#`",
    "&": "separate conditions by a comma",
    "\\": "a line goes on after an operator, a comma or an open bracket, without a backslash",
    "÷": "division is `/`",
    "∗": "multiplication is `*`",
    "∘": "multiplication is `*`",
    "→": "an equation is written with `=`",
    "ⁿ": "write the power as `^n`",
    "ⁱ": "write the power as `^i`",
    "⁺": "write the power with `^`",
    "⁻": "write the power with `^`",
}


def scan(source: Source, report: Report) -> Iterator[Token]:
    """All tokens of the text but blanks, ended by one of kind END; stops early after many errors."""
    pending: Token | None = None  # a run of unexpected characters is one message
    braces: latex.Braces = {}
    for match in _MASTER.finditer(source.text):
        if len(report.diagnostics) > ERRORS_PARSED:
            break
        kind = match.lastgroup or "UNEXPECTED"
        text, span = match.group(), Span(*match.span())
        if pending is not None and not (kind == "UNEXPECTED" and pending.span.end == span.start):
            _report_unexpected(report, pending)
            yield pending
            pending = None
        if kind == "UNEXPECTED":
            if pending is not None:
                pending = Token(kind, pending.text + text, pending.span.join(span))
            else:
                pending = Token(kind, text, span)
        elif span.start in braces:
            yield from braces[span.start]
        elif kind.startswith("LATEX"):
            yield from latex.read(kind, text, span, braces, report)
        elif kind != "SPACE":
            yield from _tokens(kind, text, span, report)
    if pending is not None:
        _report_unexpected(report, pending)
        yield pending
    end = len(source.text)
    yield Token("END", "", Span(end, end))


def _tokens(kind: str, text: str, span: Span, report: Report) -> Iterator[Token]:
    match kind:
        case "NAME":
            yield Token(WORDS.get(text, "NAME"), canonical_name(text), span)
        case "SIGN":
            yield Token(*_SIGNS[text], span)
        case "RELATION":
            yield Token(kind, _RELATIONS.get(text, text), span)
        case "NUMBER":
            yield Token(kind, text if _number_fits(text, span, report) else "1", span)
        case "SUPER":
            digits = text.translate(_DIGIT_OF)
            yield Token(kind, digits if _number_fits(digits.lstrip("-"), span, report) else "1", span)
        case "STARS":
            report.error(
                "P007", span, "`**` is no operator", label="a power is `^`",
                help="write `^`, or a superscript such as `u²`", edits=[Edit(span, "^")],
            )  # fmt: skip
            yield Token("CARET", "^", span)
        case "EQUALS":
            report.error(
                "P006", span, f"`{text}` is no relation", label="equality is `=`",
                help="write `=`", edits=[Edit(span, "=")],
            )  # fmt: skip
            yield Token("RELATION", "=", span)
        case "OPEN_STRING":
            report.error(
                "P012", span, "the text after `\"` is not closed on its line", label="opened here",
                help='add a closing `"`', edits=[Edit(Span(span.start + len(text.rstrip()), span.end), '"')],
            )  # fmt: skip
            yield Token("STRING", text + '"', span)
        case "FRACTION":
            yield from _fraction(text, span, report)
        case "REPEATED_BARE":
            yield from _without_axis(text, span, report)
        case "REPEATED" if text[1] in SUPERSCRIPTS + "^" and not _is_axis(text[-1], report):
            power = Span(span.start, span.end - 1)
            yield from _without_axis(text[:-1], power, report)
            yield Token("NAME", canonical_name(text[-1]), Span(power.end, span.end))
        case "VULGAR":
            yield from _vulgar(text, span, report)
        case "REPEATED":
            letters = _repeated(text)
            apart = " " if report.source.text[span.end : span.end + 1].isalnum() else ""
            report.error(
                "P009", span, "a derivative in another notation", label=f"`∂{letters}` in this language",
                help=f"write `∂{letters}` before its operand, or `d{letters}(...)`",
                edits=[Edit(span, f"∂{letters}" + apart)],
            )  # fmt: skip
            yield Token("PARTIAL", "∂" + letters, span)
        case "FOREIGN_COMMENT":
            start = span.start + len(text) - len(text.lstrip())
            sign = Span(start, start + (1 if report.source.text[start] == "%" else 2))
            report.error(
                "P023", sign, f"`{report.source.slice(sign)}` begins no comment",
                label="a comment begins with `#`", help="write `#`", edits=[Edit(sign, "#")],
            )  # fmt: skip
            yield Token("COMMENT", text, span)
        case "ELEMENTWISE":
            report.error(
                "P023", span, f"`{text}` is no operator", label="every operator acts at each place",
                help=f"write `{text[1]}`", edits=[Edit(span, text[1])],
            )  # fmt: skip
            yield Token(*_SIGNS[text[1]], span)
        case "ELEMENT":
            report.error(
                "P023", span, "`∈` is no word of the language", label="an axis runs `in` an interval",
                help="write `in`", edits=[Edit(span, "in")],
            )  # fmt: skip
            yield Token("IN", "in", span)
        case "LAPLACE" | "BILAPLACE":
            yield Token(kind, text.replace("∆", "Δ"), span)
        case "NABLA_DOT":
            yield Token(kind, "∇·", span)
        case "NABLA_CROSS":
            yield Token(kind, "∇×", span)
        case _:
            yield Token(kind, text, span)


def _fraction(text: str, span: Span, report: Report) -> Iterator[Token]:
    """`∂u/∂t`, read as `∂t u`."""
    above, below = text.split("/", 1)
    field = re.sub(rf"^∂{_POWER}?", "", above).strip()
    letters = ""
    for part in below.strip("() \t").split("∂")[1:]:
        axis = part.strip()
        power = re.search(rf"{_POWER}$", axis)
        times = int(power.group().lstrip("^").translate(_DIGIT_OF)) if power else 1
        letters += (axis[: power.start()] if power else axis) * times
    written = f"∂{letters} {field}".strip()
    report.error(
        "P009", span, "a derivative is written as a fraction", label=f"`{written}` in this language",
        help=f"write `{written}`, or `d{letters}({field or '...'})`", edits=[Edit(span, written)],
    )  # fmt: skip
    yield Token("PARTIAL", "∂" + letters, span)
    if field:
        yield Token("NAME", canonical_name(field), span)


def _is_axis(letter: str, report: Report) -> bool:
    return canonical_name(letter) in _axes(report.source.text)


def _axes(text: str) -> list[str]:
    """The axes of a text that is not read yet, in its order."""
    found = re.findall(rf"({_NAME}){_BLANK}(?:\[[^\]\n]*\]{_BLANK})?(?:\bin\b|∈)\s*\[", text)
    return [canonical_name(name) for name in found]


def _without_axis(text: str, span: Span, report: Report) -> Iterator[Token]:
    """`∂²` before a field: along which axis is not said."""
    match = re.compile(rf"{_BLANK}({_NAME})").match(report.source.text, span.end)
    operand = match.group(1) if match else "u"
    times = int(text[1:].lstrip("^").translate(_DIGIT_OF))
    axis = next(iter(_axes(report.source.text)), "x")
    sign = {2: "Δ", 4: "Δ²"}.get(times)
    short = {2: "laplacian", 4: "biharmonic"}.get(times)
    help = f"`d{axis * min(times, 9)}({operand})`"
    report.error(
        "P009", span, f"a derivative of order {times} that names no axis", label="along which axis?",
        help=f"write `{short}({operand})`, or {help}" if short else f"write {help}",
        edits=[Edit(span, sign)] if sign else [],
    )  # fmt: skip
    yield Token("BILAPLACE" if times == 4 else "LAPLACE", sign or "Δ", span)


def _vulgar(text: str, span: Span, report: Report) -> Iterator[Token]:
    """`½`, and `1½` with the whole number before it."""
    from unicodedata import normalize

    above, below = normalize("NFKC", text[-1]).split("⁄")
    whole = int(text[:-1][:NUMBER_DIGITS] or "0") * int(below)
    parts = (str(whole + int(above)), below)
    written = f"({parts[0]}/{parts[1]})"
    report.error(
        "P023", span, f"`{text}` is no number of the language", label="a fraction in one character",
        help=f"write `{written}`", edits=[Edit(span, written)],
    )  # fmt: skip
    for kind, sign in (("LPAR", "("), ("NUMBER", parts[0]), ("SLASH", "/"), ("NUMBER", below), ("RPAR", ")")):
        yield Token(kind, sign, span)


def _repeated(text: str) -> str:
    """The letters of `∂x²`, `∂_x^2` and `∂²x`."""
    axis = re.sub(rf"[∂_]|{_POWER}", "", text)
    power = re.search(_POWER, text)
    return axis * (int(power.group().lstrip("^").translate(_DIGIT_OF)) if power else 1)


def _number_fits(text: str, span: Span, report: Report) -> bool:
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    if len(whole) + len(fraction) > NUMBER_DIGITS:
        report.error(
            "P018", span, f"a number of {len(whole) + len(fraction)} digits",
            label=f"the limit is {NUMBER_DIGITS}", help="round it: double precision holds 17 digits",
        )  # fmt: skip
        return False
    sign, digits = exponent[:1] == "-", exponent.lstrip("+-").lstrip("0")
    shift = int(digits or "0") * (-1 if sign else 1) if len(digits) < 6 else None
    significant = (whole + fraction).lstrip("0")
    if not significant and shift is not None:
        return True
    # the power of ten of the leading digit
    leading = None if shift is None else shift + len(significant) - len(fraction) - 1
    if leading is not None and abs(leading) < LARGEST_EXPONENT:
        return True
    small = sign if leading is None else leading < 0
    report.error(
        "P018", span, f"a number too {'small' if small else 'large'} for double precision",
        label=f"the limit is 1e{'-' if small else ''}{LARGEST_EXPONENT}",
        help="choose other units, so that the number comes nearer to 1",
    )  # fmt: skip
    return False


def _report_unexpected(report: Report, token: Token) -> None:
    from unicodedata import name

    first = token.text[0]
    shown = f"`{first}`" if first.isprintable() else f"U+{ord(first):04X}"
    called = name(first, "").lower()
    what = f"{shown} ({called})" if called and not first.isascii() else shown
    report.error(
        "P013", token.span, f"the character {what} has no meaning here",
        help=_MEANT.get(first, "remove it; names are letters, digits and underscores"),
    )  # fmt: skip
