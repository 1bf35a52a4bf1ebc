"""`nablax show`: the problem explained as a colleague would, and every stage as it is."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass

import sympy as sp

from nablax import notation
from nablax.ansatz import account as ansatz
from nablax.ansatz.derive import derive
from nablax.classification import classify
from nablax.derivatives.account import account
from nablax.frontend.names import greek_name
from nablax.frontend.source import Source, Span
from nablax.passes.conservative import transforms
from nablax.pipeline import Stages
from nablax.plan import Choice, Claim, Plan
from nablax.problem import Axis, Problem
from nablax.system import System
from nablax.training.records import Training
from nablax.training.windows import left_later


def show(stages: Stages) -> str:
    """The whole account, as far as the compiler came: equations, character, choices with reasons."""
    lines: list[str] = []
    if stages.problem is not None:
        lines += _heading(stages.problem)
        lines += _statement(stages.problem)
    if stages.system is not None and not stages.system.balances_alone:
        lines += _normal_form(stages.system)
        lines += _section("Character", list(classify(stages.system)))
    elif stages.system is not None:
        lines += _section(
            "Equations", [f"0 = {notation.text(v)}" for b in stages.system.balances for v in b.values]
        )
    if stages.plan is not None:
        lines += _plan(stages.plan)
    if stages.training is not None:
        lines += _section("Training", _choices(stages.training.choices))
        if stages.system is not None:
            lines += _section("Built into the network", _built_in(stages.system, stages.training))
    if stages.system is not None:
        lines += _section("Residual of a network", list(account(stages.system)))
    return "\n".join(lines).strip() + "\n"


def built_in(system: System, windows: int) -> list[str]:
    """The conditions of a problem as a function of the network, in the first window and in later ones."""
    first = derive(system)
    later = left_later(system, first, windows)
    return [
        *ansatz.account(system.problem, first),
        *(f"{name} is a term of the loss after the first window: {why}" for name, why in later.items()),
    ]


def _built_in(system: System, training: Training) -> list[str]:
    """The same, and the networks of fields that start like a power of the time."""
    lines = built_in(system, training.windows) if training.hard else []
    time = system.time
    for name, power in training.model.starts:
        assert time is not None
        share = (time.symbol - time.lower) / (time.upper - time.lower)
        whole = f"N_{name}" if training.hard else name
        lines.append(f"{whole} = W_{name} + {notation.text(share ** sp.Float(power, 4))}*V_{name}")
    return lines


def _heading(problem: Problem) -> list[str]:
    title = problem.title or problem.source.name
    return [title, "─" * len(title)]


def _section(name: str, lines: list[str]) -> list[str]:
    return ["", name, *(f"  {line}" for line in lines)] if lines else []


def _statement(problem: Problem) -> list[str]:
    domain = " × ".join(
        f"{_axis_name(a)} ∈ [{notation.text(a.lower)}, {notation.text(a.upper)}]"
        + (" periodic" if a.periodic else "")
        for a in problem.axes
    )
    if problem.coordinates != "cartesian":
        domain = f"{problem.coordinates}: {domain}"
    time = problem.time
    if time is not None:
        domain += (
            f",  {greek_name(time.name)} from {notation.text(time.lower)} to {notation.text(time.upper)}"
        )
    domain += "".join(f",  {_written(problem.source, c.span)}" for c in problem.cuts)
    written = dict.fromkeys(_written(problem.source, e.span) for e in problem.equations)
    values = [
        f"{greek_name(p.name)} = {_number(p.value)}" + (" (unknown, start value)" if p.unknown else "")
        for p in problem.parameters
    ]
    return [
        *_section("Domain", [domain]),
        *_section("Equations, as written", list(written)),
        *_section("Parameters", [", ".join(values)] if values else []),
    ]


def _axis_name(axis: Axis) -> str:
    name = greek_name(axis.name)
    return name if axis.size is None else f"{name}[{axis.first}..{axis.first + axis.size - 1}]"


def _number(value: sp.Expr) -> str:
    """A decimal where the number has a short one."""
    if value.is_Rational and not value.is_Integer:
        shown = repr(float(value))
        if sp.Rational(shown) == value:
            return shown
    return notation.text(value)


def _written(source: Source, span: Span) -> str:
    return " ".join(source.slice(span).split())


def _normal_form(system: System) -> list[str]:
    lines = []
    for equation in system.evolution:
        if equation.memory:
            left = notation.memory(system, equation)
            lines.append(f"{left} = {notation.right_side(system, equation.terms)}")
            continue
        left = " + ".join(
            notation.linear_term(system, m).replace(
                system.unknowns[m.unknown].name, f"∂t {system.unknowns[m.unknown].name}"
            )
            for m in equation.mass
        )
        lines.append(f"{left} = {notation.right_side(system, equation.terms)}")
    lines += [f"0 = {notation.right_side(system, c.terms)}" for c in system.constraints]
    symbols = []
    for i, equation in enumerate(system.evolution):
        symbol = notation.fourier_symbol(system, i)
        if symbol is not None and symbol != 0:
            symbols.append(f"λ(k) = {notation.text(symbol)}   for {system.unknowns[equation.unknown].name}")
    initial = [
        f"{u.name} = {notation.text(v)}"
        for u, v in zip(system.unknowns, system.initial, strict=True)
        if v is not None
    ]
    walls = [notation.condition(system, b) for b in system.boundary if _is_component(system, b.unknown)]
    return [
        *_section("Normal form", lines),
        *_section("Fourier symbol of the linear part", symbols),
        *_section("Initial values", initial),
        *_section("Boundary conditions", walls),
    ]


def _is_component(system: System, unknown: int) -> bool:
    return system.unknowns[unknown].rate_of is None


def _choices(choices: Sequence[Choice]) -> list[str]:
    width = max(len(f"{c.what} = {c.value}") for c in choices)
    return [f"{f'{c.what} = {c.value}':<{width}}  {c.reason}" for c in choices]


def _plan(plan: Plan) -> list[str]:
    lines = _choices(plan.choices)
    limiter = plan.stepping.limiter
    if plan.stepping.bound is not None:
        line = f"stable step of {plan.stepping.name}: {plan.stepping.bound:.3g}"
        if limiter is not None:
            text = _written(plan.system.problem.source, limiter)
            line += f", set by `{text}`"
        lines.append(line)
    elif limiter is not None:
        text = _written(plan.system.problem.source, limiter)
        lines.append(f"no step is stable: short waves grow without bound by `{text}`")
    if plan.method == "spectral":
        before = transforms([e.terms.nonlinear for e in plan.system.evolution])
        after = transforms([e.terms.conservative for e in plan.system.evolution])
        if before > after:
            lines.append(f"{after} Fourier transforms an evaluation in conservative form, {before} expanded")
    spacing = ", ".join(f"{a.name}: {a.spacing:.3g}" for a in plan.grid)
    lines.append(f"grid of {' x '.join(str(n) for n in plan.shape)} points, spacing {spacing}")
    if plan.system.time is not None:
        lines.append(f"{len(plan.frames)} frames from {plan.frames[0]:g} to {plan.frames[-1]:g}")
    return [*_section("Choices", lines), *_section("Terms", _treatments(plan))]


_TREATMENTS = {
    "exact": "exactly, by the propagator of its Fourier symbol",
    "implicit": "implicitly",
    "explicit": "explicitly",
}


def _treatments(plan: Plan) -> list[str]:
    """One line per term of the text and way it is taken; silent where every term is taken alike."""
    source = plan.system.problem.source
    found: dict[str, dict[str, None]] = {}
    for claim in plan.claims:
        found.setdefault(_written(source, claim.span), {})[_treatment(plan, claim)] = None
    if len({treatment for treatments in found.values() for treatment in treatments}) < 2:
        return []
    width = max(len(text) for text in found)
    return [f"{text:<{width}}  {_together(list(treatments))}" for text, treatments in found.items()]


def _treatment(plan: Plan, claim: Claim) -> str:
    """A multiplier's term is no part of any step: the constraint determines it anew each time."""
    if claim.kind == "linear":
        term = plan.system.evolution[claim.equation].terms.linear[claim.index]
        if plan.system.unknowns[term.unknown].algebraic and any(
            c.unknown is None for c in plan.system.constraints
        ):
            return "by projecting onto what the constraint allows"
    return _TREATMENTS[claim.treatment]


def _together(treatments: list[str]) -> str:
    """A text of several parts: what is linear in it stands first."""
    if len(treatments) == 1:
        return treatments[0]
    first, *rest = sorted(treatments, key=lambda t: t == _TREATMENTS["explicit"])
    return f"in part {first}; the rest {' and '.join(rest)}"


def latex(problem: Problem) -> str:
    """The equations as an `align*` environment, time derivatives on the left."""
    rows = []
    for equation in problem.equations:
        moving = [s.value for s in equation.summands if _in_time(problem, s.value)]
        rest = [s.value for s in equation.summands if not _in_time(problem, s.value)]
        rows.append(f"{notation.latex(sp.Add(*moving))} &= {notation.latex(-sp.Add(*rest))}")
    body = " \\\\\n  ".join(rows)
    return f"\\begin{{align*}}\n  {body}\n\\end{{align*}}\n"


def _in_time(problem: Problem, value: sp.Expr) -> bool:
    t = problem.time.symbol if problem.time else None
    return any(t in d.variables for d in value.atoms(sp.Derivative))


def stage(name: str, stages: Stages) -> str:
    """One record of the compilation, written out field by field; says so where it was not reached."""
    record = {
        "syntax": stages.module,
        "problem": stages.problem,
        "system": stages.system,
        "plan": stages.plan,
    }[name]
    if record is None:
        return f"the compiler did not reach the stage `{name}`\n"
    return "\n".join(_dump(record, 0, "")) + "\n"


_HIDDEN = ("source", "problem", "system")


def _dump(value: object, depth: int, label: str) -> Iterator[str]:
    pad = "  " * depth
    head = f"{pad}{label}: " if label else pad
    if isinstance(value, Span):
        return
    if is_dataclass(value) and not isinstance(value, type):
        span = getattr(value, "span", None)
        place = f" @{span.start}:{span.end}" if isinstance(span, Span) else ""
        yield f"{head}{type(value).__name__}{place}"
        for field in fields(value):
            if not (depth == 0 and field.name in _HIDDEN):
                yield from _dump(getattr(value, field.name), depth + 1, field.name)
    elif isinstance(value, tuple) and value:
        yield f"{head.rstrip()}"
        for item in value:
            yield from _dump(item, depth + 1, "-")
    else:
        shown = notation.text(value) if isinstance(value, sp.Basic) else repr(value)
        yield f"{head}{shown}"
