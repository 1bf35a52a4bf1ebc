"""ASCII spellings as mathematical signs, where the syntax stays the same."""

from collections.abc import Iterator
from itertools import pairwise

from nablax.frontend.diagnostics import Edit, Report
from nablax.frontend.lexer import SUPERSCRIPTS, scan
from nablax.frontend.names import greek_name
from nablax.frontend.source import Source, Span
from nablax.frontend.syntax import Argument, Call, Domain, Item, Module, Name, Relation, Vector
from nablax.frontend.tokens import Token
from nablax.frontend.walk import walk

_SIGNS = {"laplacian": "Δ", "biharmonic": "Δ²", "grad": "∇", "div": "∇·", "curl": "∇×"}
_POSTFIX = ("CARET", "SUPER", "DOT", "LSQB")
_SUPERSCRIPT = str.maketrans("0123456789", SUPERSCRIPTS)


def unicode_edits(source: Source, module: Module) -> Iterator[Edit]:
    """Edits, none of which overlap, that write a text's operators, Greek letters and powers as signs."""
    tokens = tuple(
        token for token in scan(source, Report(source)) if token.kind not in ("NEWLINE", "COMMENT")
    )
    yield from _token_edits(tokens)
    following = {token.span.end: after.kind for token, after in pairwise(tokens)}
    axes = _axes(module)
    defined = _defined_functions(module)
    for node in walk(module):
        # a power or a component would then seem to belong to the operand: `Δu^2`
        if isinstance(node, Call) and following.get(node.span.end) not in _POSTFIX:
            yield from _call_edits(node, source, axes, defined)


def _token_edits(tokens: tuple[Token, ...]) -> Iterator[Edit]:
    depth = 0
    for at, token in enumerate(tokens[:-1]):
        after = tokens[at + 1]
        match token.kind:
            case "LPAR" | "LSQB":
                depth += 1
            case "RPAR" | "RSQB":
                depth -= 1
            case "RELATION" if token.text == "≈":
                yield Edit(token.span, "≈")
            case "NAME" if after.kind != "LPAR" and not (depth > 0 and after.kind == "RELATION"):
                written = greek_name(token.text)
                if written != token.text and len(token.text) == token.span.end - token.span.start:
                    yield Edit(token.span, written)
            case "CARET" if after.kind == "NUMBER" and at + 2 < len(tokens) and at > 1:
                integer = after.text.isdigit() and len(after.text) <= 2 and not after.text.startswith("0")
                other = tokens[at - 2].kind in ("LAPLACE", "CARET")  # `(-Δ)^2 u`, `x^y^2`
                if integer and not other and tokens[at + 2].kind not in _POSTFIX:
                    # blanks before the sign go, a line break there stays
                    yield Edit(token.span.join(after.span), after.text.translate(_SUPERSCRIPT))


def _call_edits(call: Call, source: Source, axes: frozenset[str], defined: frozenset[str]) -> Iterator[Edit]:
    arguments = call.arguments
    name = call.function.id
    if call.sugar is not None or name in defined or any(a.name is not None for a in arguments):
        return
    operand = arguments[-1] if arguments else None
    if operand is None or isinstance(operand.value, Relation):
        return
    sign: str | None = None
    if len(arguments) == 1:
        sign = _SIGNS.get(name) or _partial_sign(name, axes)
    elif name == "advect" and len(arguments) == 2 and isinstance(arguments[0].value, Name):
        wind = arguments[0].span
        if source.slice(wind).isidentifier():
            sign = f"({greek_name(arguments[0].value.id)}·∇)"
    if sign is None:
        return
    opening = Span(call.span.start, operand.span.start)
    closing = Span(operand.span.end, call.span.end)
    if any(mark in source.slice(opening) + source.slice(closing) for mark in "\n#"):
        return
    if not _is_atom(operand, source):
        yield Edit(opening, sign + "(")
        yield Edit(closing, ")")
        return
    bare = operand.span == operand.value.span
    blank = bare and (isinstance(operand.value, Call) or (isinstance(operand.value, Name) and sign[0] == "∂"))
    yield Edit(opening, sign + " " if blank else sign)
    yield Edit(closing, "")


def _is_atom(operand: Argument, source: Source) -> bool:
    """Whether a sign before the operand would take all of it."""
    if operand.span != operand.value.span:  # in brackets, or behind a plus sign
        return source.slice(operand.span).startswith("(")
    if isinstance(operand.value, Call):
        return operand.value.sugar is None
    return isinstance(operand.value, Name | Vector)


def _partial_sign(name: str, axes: frozenset[str]) -> str | None:
    """`∂xx` for `dxx` when `x` is an axis."""
    if not name.startswith("d"):
        return None
    parts = _split(name[1:], axes)
    return "∂" + "".join(greek_name(part) for part in parts) if parts else None


def _split(letters: str, axes: frozenset[str]) -> list[str] | None:
    """`letters` as names of axes one after the other, or None."""
    reached: dict[int, list[str]] = {0: []}
    for end in range(1, len(letters) + 1):
        for axis in axes:
            start = end - len(axis)
            if start in reached and letters[start:end] == axis:
                reached[end] = [*reached[start], axis]
                break
    return reached.get(len(letters)) if letters else None


def _axes(module: Module) -> frozenset[str]:
    names: set[str] = set()
    for block in module.blocks:
        if block.name.id not in ("space", "time"):
            continue
        for statement in block.statements:
            for clause in statement.clauses:
                if isinstance(clause, Domain):
                    target = clause.target.base if isinstance(clause.target, Item) else clause.target
                    if isinstance(target, Name) and "_" not in target.id:
                        names.add(target.id)
    return frozenset(names)


def _defined_functions(module: Module) -> frozenset[str]:
    block = module.block("let")
    if block is None:
        return frozenset()
    return frozenset(
        clause.left.function.id
        for statement in block.statements
        for clause in statement.clauses
        if isinstance(clause, Relation) and isinstance(clause.left, Call)
    )
