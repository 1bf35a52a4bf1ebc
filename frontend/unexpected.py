"""What a statement wanted where it found something else, in words and not in token names."""

from nablax.frontend.diagnostics import Edit, Note, Report
from nablax.frontend.outline import StatementTokens
from nablax.frontend.source import Span
from nablax.frontend.tokens import Token

_SUGAR = ("PARTIAL", "NABLA", "NABLA_DOT", "NABLA_CROSS", "LAPLACE", "BILAPLACE", "VARIATION")
_STARTS_VALUE = ("NUMBER", "NAME", "LPAR", "BAR", *_SUGAR)
_ENDS_VALUE = ("NUMBER", "NAME", "RPAR", "RSQB", "SUPER", "STRING", "VARIATION")
_WORDS = ("IN", "WITHIN", "INSIDE", "ALWAYS")
_UNITS = (
    "m", "mm", "cm", "km", "um", "nm", "s", "ms", "us", "ns", "min", "h", "kg", "g", "mg", "K", "degC", "Pa",
    "kPa", "MPa", "GPa", "bar", "N", "kN", "J", "kJ", "W", "kW", "Hz", "kHz", "mol", "V", "A", "rad",
)  # fmt: skip
_ENDS = {"NEWLINE": "the end of the line", "SEMICOLON": "`;`", "RBRACE": "`}`", "END": "the end of the text"}


def report_unexpected(statement: StatementTokens, at: int, accepts: frozenset[str], report: Report) -> None:
    """Report the token at index `at`; `accepts` are the terminals that could have stood there."""
    tokens, text = statement.tokens, report.source.slice
    before = tokens[at - 1] if at > 0 else None
    if at == len(tokens):
        end = Span(tokens[-1].span.end, tokens[-1].span.end)
        _unexpected_end(statement, end, accepts, report)
        return
    token = tokens[at]
    found = text(token.span)
    if token.kind in _WORDS and "NAME" in accepts:
        report.error(
            "P022", token.span, f"`{found}` is a word of the language",
            label="not a name", help="choose another name",
        )  # fmt: skip
    elif before is not None and before.kind == "INSIDE" and token.kind == "COLON":
        report.error(
            "P022", before.span, "`inside` is a word of the language",
            label="not the name of a curve", help="write `edge:`, or the label that stands before the region",
            edits=[Edit(before.span, "edge")],
        )  # fmt: skip
    elif before is not None and before.kind in _WORDS and token.kind in ("RELATION", "TILDE", "COLON", "IN"):
        report.error(
            "P022", before.span, f"`{text(before.span)}` is a word of the language",
            label="not a name", help="choose another name",
        )  # fmt: skip
    elif before is not None and "STAR" in accepts and token.kind in _STARTS_VALUE:
        _side_by_side(tokens, at, report)
    elif token.kind == "RELATION" and "STAR" in accepts:
        chained = any(earlier.kind == "RELATION" for earlier in tokens[:at]) and "$END" in accepts
        report.error(
            "P016", token.span,
            "a second relation in one statement" if chained else "a relation inside of an expression",
            help="write one relation for each statement" if chained
            else "a relation stands between two sides, in `where(...)`, after `inside` or in "
            "`expect`; between two values is `box(x, a, b)`",
        )  # fmt: skip
    elif token.kind == "COLON" and any(earlier.kind == "COLON" for earlier in tokens[:at]):
        report.error(
            "P014", token.span, "a second `:` in one statement",
            help="one `:` separates where from what; begin a new statement on a new line or after `;`",
        )  # fmt: skip
    elif token.kind == "RANGE":
        report.error(
            "P014", token.span, "a range outside of an index",
            help="a range counts a family of axes, `x[1..100]`; an interval is `[0, 1]`",
        )  # fmt: skip
    elif (
        _open_bar(tokens[:at]) is not None and "STAR" in accepts and token.kind in ("RPAR", "RSQB", "_COMMA")
    ):
        _unclosed_bar(tokens[:at], token.span, f"`{found}`", report)
    else:
        wanted = _wanted(accepts)
        if "NUMBER" in accepts:
            help = f"write a value before `{found}`, or remove `{found}`"
        elif wanted.startswith("an interval"):
            help = "write the interval as `[low, high]`"
        elif "NAME" in accepts:
            help = f"write a name before `{found}`, or remove `{found}`"
        else:
            help = f"remove `{found}`, or begin a new statement on a new line or after `;`"
        report.error("P014", token.span, f"expected {wanted}, found `{_short(found)}`", help=help)


def _unexpected_end(statement: StatementTokens, end: Span, accepts: frozenset[str], report: Report) -> None:
    tokens = statement.tokens
    last = report.source.slice(tokens[-1].span)
    found = _ENDS[statement.terminator.kind]
    if len(tokens) == 1 and tokens[0].kind == "LABEL":
        report.error(
            "P014", tokens[0].span, "a label without an equation",
            help="write the equation on the line of its label",
        )  # fmt: skip
    elif tokens[-1].kind in _WORDS and "NUMBER" in accepts and len(tokens) == 1:
        report.error(
            "P022", tokens[0].span, f"`{last}` is a word of the language",
            label="not a name", help="choose another name",
        )  # fmt: skip
    elif _open_bar(tokens) is not None and "STAR" in accepts:
        _unclosed_bar(tokens, end, found, report)
    else:
        wanted = _wanted(accepts)
        if wanted.startswith("an interval"):
            help = "write the interval as `[low, high]`"
        elif last == ":":
            help = "write what holds there after the `:`, on the same line"
        elif "NUMBER" in accepts:
            help = f"write a value after `{last}`, or remove `{last}`"
        else:
            help = f"write {wanted} after `{last}`"
        edits = [Edit(tokens[-1].span, "")] if last == "," else []
        report.error("P014", end, f"expected {wanted}, found {found}", help=help, edits=edits)


def _side_by_side(tokens: tuple[Token, ...], at: int, report: Report) -> None:
    before, token = tokens[at - 1], tokens[at]
    first, second = _written(before, report), _written(token, report)
    gap = report.source.slice(Span(before.span.end, token.span.start))
    named = tokens[at - 2] if at > 1 and tokens[at - 2].kind == "NAME" else None
    if second == "where" and not (at + 1 < len(tokens) and tokens[at + 1].kind == "LPAR"):
        report.error(
            "P008", token.span, "`where` is a function, and it stands here behind a value",
            label="takes arguments",
            help="write `where(condition, a, b)`, or give a name its value in `let { ... }`",
        )  # fmt: skip
        return
    latex = report.source.slice(before.span).startswith("\\")  # there a blank only ends the command
    power_of_name = before.kind == "SUPER" and named is not None and second == "("
    if power_of_name and named is not None:
        help = f"write the power after the call, `{named.text}(...){first}`, or `*` between the two"
    elif token.kind == before.kind == "NUMBER":
        help = "write `,` or an operator between the two"
    elif before.kind == "NUMBER" and second in _UNITS and gap:
        help = f"units go in comments, `# {second}`; a product is `{first}*{second}`"
    elif token.kind == "NAME" and before.kind in ("NAME", "NUMBER") and gap and not latex:
        help = f"write `{first}*{second}`, or begin a new statement on a new line or after `;`"
    else:
        help = f"write `{first}*{second}`" if latex else f"write `*` between `{first}` and `{second}`"
    # two words apart may as well be two statements, so no edit is offered for them
    close = not gap or latex or token.kind in ("LPAR", "BAR", *_SUGAR)
    certain = not power_of_name and close and not gap.strip()
    gap_span = Span(before.span.end, token.span.start)
    numbers = token.kind == before.kind == "NUMBER"
    report.error(
        "P008",
        token.span if gap.strip() or "\n" in gap else before.span.join(token.span),
        f"no operator between `{_short(first)}` and `{_short(second)}`",
        label="" if numbers else "a product is written with `*`",
        help=help, edits=[Edit(gap_span, "*")] if certain else [],
    )  # fmt: skip


def _written(token: Token, report: Report) -> str:
    """A token as the text has it, or as it will be once LaTeX is mended."""
    found = report.source.slice(token.span)
    return token.text if found.startswith("\\") else found


def _open_bar(tokens: tuple[Token, ...]) -> Token | None:
    """The innermost `|` without its partner; where a value may begin a bar opens, elsewhere it closes."""
    opened: list[Token] = []
    ended = False
    for token in tokens:
        if token.kind == "BAR":
            if ended and opened:
                opened.pop()
                continue  # a closing bar ends a value
            opened.append(token)
            ended = False
        else:
            ended = token.kind in _ENDS_VALUE
    return opened[-1] if opened else None


def _unclosed_bar(tokens: tuple[Token, ...], end: Span, found: str, report: Report) -> None:
    opening = _open_bar(tokens)
    assert opening is not None  # asked before
    report.error(
        "P001", opening.span, "`|` is never closed", label="opened here",
        notes=[Note(f"{found} comes before a second `|`", end)],
        help="add the closing `|`, or write `abs(...)`",
    )  # fmt: skip


def _wanted(accepts: frozenset[str]) -> str:
    if "NUMBER" in accepts:
        return "a value"
    if accepts == {"LSQB"}:
        return "an interval `[low, high]`"
    if "NAME" in accepts and "$END" not in accepts:
        return "a name"
    if "NUMBER" not in accepts and accepts <= {"LPAR"}:
        return "`(`"
    words = [
        word
        for kind, word in (
            ("STAR", "an operator"),
            ("_COMMA", "`,`"),
            ("RPAR", "`)`"),
            ("RSQB", "`]`"),
            ("BAR", "`|`"),
            ("$END", "the end of the statement"),
        )
        if kind in accepts
    ]
    if not words:
        return "a relation" if "RELATION" in accepts else "something else"
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:23] + "…"
