"""The blocks of a spec and the forms of statement that each of them takes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches

from nablax.frontend.diagnostics import Edit, Report
from nablax.frontend.expressions import operator_span
from nablax.frontend.source import Span
from nablax.frontend.syntax import (
    Block,
    Call,
    Clause,
    Domain,
    Inside,
    Item,
    Name,
    Range,
    Relation,
    Statement,
    Unknown,
)

COORDINATES = ("cartesian", "polar", "cylindrical", "spherical")

# What a required block may look like, for the message that misses it.
REQUIRED = {"space": "x in [0, 1]", "fields": "u", "equations": "dt(u) = dxx(u)"}

# Names from other tools and from the language of papers.
MEANT = {
    "domain": "space", "axes": "space", "geometry": "space", "region": "space", "mesh": "solve",
    "grid": "solve", "unknowns": "fields", "variables": "fields", "functions": "fields",
    "parameters": "params", "constants": "params", "coefficients": "params", "define": "let",
    "definitions": "let", "where": "let", "pde": "equations", "eq": "equations", "eqs": "equations",
    "ic": "initial", "ics": "initial", "bc": "boundary", "bcs": "boundary", "conditions": "boundary",
    "measurements": "data", "observations": "data", "solver": "solve", "method": "solve",
    "training": "train", "boundaries": "boundary",
    "initials": "initial", "interval": "time",
    "result": "output", "plot": "output", "tests": "expect", "check": "expect",
    "assert": "expect",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """What a block's statements look like. `place` judges the clauses before a colon; None: no colon."""

    wants: str
    example: str
    clause: Callable[[Clause], bool]
    place: Callable[[Clause], bool] | None = None
    needs_place: bool = False
    one_clause: bool = False
    label: bool = False


def _is_name(clause: Clause) -> bool:
    return isinstance(clause, Name)


def _is_axis(clause: Clause) -> bool:
    if not isinstance(clause, Domain):
        return False
    target = clause.target
    family = isinstance(target, Item) and isinstance(target.base, Name) and isinstance(target.index, Range)
    return isinstance(target, Name) or family


def _is_equality(clause: Clause) -> bool:
    return isinstance(clause, Relation) and clause.operator == "="


def _is_setting(clause: Clause) -> bool:
    return isinstance(clause, Relation) and clause.operator == "=" and isinstance(clause.left, Name)


def _is_definition(clause: Clause) -> bool:
    if not isinstance(clause, Relation) or clause.operator != "=":
        return False
    left = clause.left
    if isinstance(left, Call) and left.sugar is None:
        return all(part.name is None and isinstance(part.value, Name) for part in left.arguments)
    return isinstance(left, Name)


def _is_parameter(clause: Clause) -> bool:
    return isinstance(clause, Unknown) or _is_setting(clause)


def _is_side(clause: Clause) -> bool:
    return isinstance(clause, Name) or (
        isinstance(clause, Relation) and clause.operator == "=" and isinstance(clause.left, Name | Item)
    )


_SETTING = "`name = value`"

FORMS = {
    "space": Form(
        "`axis in [low, high]`, or `inside` a region", "x in [0, 1] periodic",
        lambda clause: _is_axis(clause) or isinstance(clause, Inside), label=True,
    ),
    "time": Form("`t in [start, end]`", "t in [0, 1]", _is_axis),
    "fields": Form("names of fields", "u, or U: vector", _is_name, _is_name),
    "params": Form("`name = value`, or `name ~ start in [low, high]`", "nu = 0.01", _is_parameter),
    "let": Form("`name = expression`, or `name(argument) = expression`", "r2 = x^2 + y^2", _is_definition),
    "equations": Form(
        "an equation, `left = right`", "dt(u) = dxx(u)", _is_equality, one_clause=True, label=True
    ),
    "initial": Form("`field = expression`", "u = sin(x)", _is_equality),
    "boundary": Form(
        "`side: condition`", "x = 0: u = 0", _is_equality, _is_side, needs_place=True
    ),
    "data": Form(
        "`name = csv(...)`", 'sensors = csv("sensors.csv", at=[x, t], value=u)', _is_setting
    ),
    "solve": Form(_SETTING, "n = 128", _is_setting),
    "train": Form(_SETTING, "model = mlp(width=64, depth=4)", _is_setting),
    "output": Form(_SETTING, "every = 0.1", _is_setting),
    "expect": Form(
        "a relation that the result meets", "u ≈ sin(x)*exp(-t) within 1e-3",
        lambda clause: isinstance(clause, Relation), _is_setting,
    ),
}  # fmt: skip

BLOCKS = tuple(FORMS)


def check_block(block: Block, report: Report) -> Block:
    """The block without the statements of a wrong form, which are reported."""
    _check_modifier(block, report)
    name, form = block.name.id, FORMS[block.name.id]
    return replace(
        block, statements=tuple(s for s in block.statements if _check_statement(name, form, s, report))
    )


def _check_modifier(block: Block, report: Report) -> None:
    word = block.modifier
    if word is None or (block.name.id == "space" and word.id in COORDINATES):
        return
    if block.name.id != "space":
        report.error(
            "P015", word.span, f"`{block.name.id}` takes no word before its brace",
            help=f"write `{block.name.id} {{ ... }}`",
        )  # fmt: skip
        return
    similar = get_close_matches(word.id, COORDINATES, 1)
    report.error(
        "P015", word.span, f"there are no `{word.id}` coordinates",
        label=f"similar: `{similar[0]}`" if similar else "",
        help="the coordinates are " + ", ".join(COORDINATES),
        edits=[Edit(word.span, similar[0])] if similar else [],
    )  # fmt: skip


def _check_statement(name: str, form: Form, statement: Statement, report: Report) -> bool:
    if statement.label is not None and not _takes_label(form, statement):
        report.error(
            "P015", statement.label.span,
            f"a label in `{name}`" if not form.label else "an axis with a label",
            label="only equations and regions have labels",
            help="remove it; a comment begins with `#`",
        )  # fmt: skip
        return False
    if statement.where and form.place is None:
        _report_colon(name, form, statement, report)
        return False
    if form.needs_place and not statement.where:
        report.error(
            "P015", statement.span, f"this condition of `{name}` names no side",
            help=_kind_named(statement.clauses[0])
            or "write the side before a `:`, such as `x = 0: u = 0` or `all: u = 0`",
        )  # fmt: skip
        return False
    place = form.place
    for clause in statement.where:
        if place is not None and not place(clause):
            report.error(
                "P015", clause.span, f"this is no place that `{name}` knows", label=_is(clause),
                help=f"write it as in `{form.example if form.needs_place else 't = 0.5: max(u) <= 1'}`"
                if name != "fields" else "names stand before the `:`, as in `U, V: vector`",
            )  # fmt: skip
            return False
    if form.one_clause and len(statement.clauses) > 1:
        second = statement.clauses[1]
        report.error(
            "P015", second.span, "a second equation in one statement", label=_is(second),
            help="begin it on a new line or after `;`",
        )  # fmt: skip
        return False
    return all(_check_clause(name, form, clause, statement.span.end, report) for clause in statement.clauses)


def _takes_label(form: Form, statement: Statement) -> bool:
    """Equations have labels, and in `space` the regions."""
    return form.label and not any(isinstance(clause, Domain) for clause in statement.clauses)


def _report_colon(name: str, form: Form, statement: Statement, report: Report) -> None:
    before = statement.where[0].span.join(statement.where[-1].span)
    help, edits = f"`{name}` wants {form.wants}, such as `{form.example}`", []
    first, rest = statement.where[0], statement.clauses[0].span.start
    if form.label and isinstance(first, Name) and len(statement.where) == 1:
        label = f"[{report.source.slice(first.span)}]"
        help, edits = f"write the label as `{label}`", [Edit(Span(before.start, rest), f"{label} ")]
    elif name == "initial" and isinstance(first, Relation) and len(statement.where) == 1:
        help = "leave it out: all of `initial` holds at the start of time"
        edits = [Edit(Span(before.start, rest), "")]
    report.error(
        "P015", before, f"a statement of `{name}` has no `:`", label="this stands before a `:`", help=help,
        edits=edits,
    )  # fmt: skip


# Words for conditions from other tools.
_KINDS = {
    "dirichlet": "a value is given as `u = 0`",
    "neumann": "a slope is given along the outward normal, as `dn(u) = 0`",
    "robin": "a mixed condition is an equation, such as `dn(u) + u = 0`",
    "noflux": "no flux is `dn(u) = 0`",
    "periodic": "periodicity belongs to the axis: `x in [0, 1] periodic`, and it has no condition",
}


def _kind_named(clause: Clause) -> str | None:
    """What to write for a condition that is named and not written."""
    if isinstance(clause, Relation):
        return _kind_named(clause.left)
    name = clause.id if isinstance(clause, Name) else clause.function.id if isinstance(clause, Call) else ""
    return _KINDS.get(name.lower().replace("_", ""))


def _check_clause(name: str, form: Form, clause: Clause, end: int, report: Report) -> bool:
    """Report a clause of a wrong form; its statement ends at `end`."""
    if isinstance(clause, Relation) and not _check_relation(name, clause, report):
        return False
    if form.clause(clause):
        return True
    help, edits = f"write it as in `{form.example}`", []
    if name == "equations" and not isinstance(clause, Domain | Unknown | Inside):
        help = "an expression that is to vanish is an equation with `= 0`"
        behind = report.source.text[end : end + 200].lstrip()[:1]
        edits = [Edit(Span(end, end), " = 0")] if behind not in tuple("=+-*/") else []
    elif name == "boundary":
        help = _kind_named(clause) or help
    report.error(
        "P015", clause.span, f"`{name}` wants {form.wants}", label=_is(clause), help=help, edits=edits
    )
    return False


def _check_relation(name: str, relation: Relation, report: Report) -> bool:
    sign = operator_span(relation, report.source)
    written = report.source.slice(sign)
    if name == "expect":
        if relation.operator != "=":
            return True
        if written != "=":
            return False  # `==`, told already
        report.error(
            "P016", sign, "`=` in `expect`", label="no computed number is exactly another",
            help="write `≈` (in ASCII `~=`), with `within` and a tolerance", edits=[Edit(sign, "≈")],
        )  # fmt: skip
        return False
    if relation.operator != "=":
        report.error(
            "P016", sign, f"the relation `{written}` in `{name}`",
            help="write `=`; inequalities stand in `expect`, in `where(...)` and after `inside`",
        )  # fmt: skip
        return False
    if relation.always or relation.within is not None:
        word = "always" if relation.always else "within"
        span = relation.within.span if relation.within is not None and not relation.always else relation.span
        report.error(
            "P016", span, f"`{word}` in `{name}`", help=f"remove `{word}`; it stands in `expect` only"
        )
        return False
    return True


def _is(clause: Clause) -> str:
    """What a clause is, for the label under it."""
    match clause:
        case Relation():
            return "this is a relation"
        case Inside():
            return "this is a region"
        case Domain():
            return "this is an interval"
        case Unknown():
            return "this is an unknown parameter"
        case Name():
            return "this is a name alone"
        case _:
            return "this is an expression alone"
