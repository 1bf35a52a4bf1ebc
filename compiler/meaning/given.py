"""Values given outside the text: `--set nu=0.02`, `--solve n=512`, the keywords of `compile`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Report
from nablax.frontend.parser import parse, read_source
from nablax.frontend.source import Span

_SHOWN = 60  # characters of a value that a message repeats
NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Given:
    """An expression with every span at the beginning of the spec, and the flag that brought it."""

    expression: syntax.Expression
    text: str


def parse_values(
    texts: Mapping[str, str], flag: str, report: Report, swept: Collection[str] = ()
) -> dict[str, Given]:
    """Each value read by the same parser as the one definition of a `let` block; `swept` ones come from
    `--sweep` in the flag's place."""
    found: dict[str, Given] = {}
    for name, text in texts.items():
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
        whole = f"--{'sweep' if name in swept else flag} {name}={shown}"
        inner = read_source(whole, f"let {{ value = {text}\n }}")
        complaints = Report(inner)
        module = parse(inner, complaints)
        block = module.block("let") if module else None
        clauses = [c for s in block.statements for c in s.clauses] if block else []
        # The lack of the required blocks is no complaint about a value.
        reasons = [d for d in complaints.diagnostics if d.code != "P005"]
        if (
            not reasons
            and module is not None
            and len(module.blocks) == 1
            and len(clauses) == 1
            and isinstance(clauses[0], syntax.Relation)
        ):
            found[name] = Given(_displaced(clauses[0].right), whole)
            continue
        message = reasons[0].message if reasons else "this is no single value"
        report.error(
            "P114",
            NOWHERE,
            f"`{whole}` cannot be read: {message}",
            given=whole,
            help="write a number or an expression of the language, such as `2*pi`",
        )
    return found


def _displaced(node: syntax.Expression) -> syntax.Expression:
    """The same expression with every span at the beginning of the spec."""
    match node:
        case syntax.Name() | syntax.Number() | syntax.String():
            return replace(node, span=NOWHERE)
        case syntax.Negate() | syntax.Absolute():
            return replace(node, operand=_displaced(node.operand), span=NOWHERE)
        case syntax.Binary():
            return replace(node, left=_displaced(node.left), right=_displaced(node.right), span=NOWHERE)
        case syntax.List() | syntax.Vector():
            return replace(node, items=tuple(map(_displaced, node.items)), span=NOWHERE)
        case syntax.Call():
            arguments = tuple(
                replace(a, value=_displaced_clause(a.value), span=NOWHERE) for a in node.arguments
            )
            function = replace(node.function, span=NOWHERE)
            return replace(node, function=function, arguments=arguments, span=NOWHERE)
        case syntax.Partial():
            letters = replace(node.letters, span=NOWHERE)
            return replace(node, letters=letters, operand=_displaced(node.operand), span=NOWHERE)
        case syntax.Component():
            name = replace(node.name, span=NOWHERE)
            return replace(node, base=_displaced(node.base), name=name, span=NOWHERE)
        case syntax.Item():
            return replace(node, base=_displaced(node.base), index=_displaced(node.index), span=NOWHERE)
        case syntax.Range():
            return replace(node, lower=_displaced(node.lower), upper=_displaced(node.upper), span=NOWHERE)


def _displaced_clause(clause: syntax.Clause) -> syntax.Clause:
    match clause:
        case syntax.Relation():
            return replace(clause, left=_displaced(clause.left), right=_displaced(clause.right), span=NOWHERE)
        case syntax.Inside() | syntax.Domain() | syntax.Unknown():
            return replace(clause, span=NOWHERE)
        case _:
            return _displaced(clause)
