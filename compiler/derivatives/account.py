"""The residual's evaluation in words: what `nablax show` says of it."""

from collections.abc import Iterator
from math import prod

from nablax.derivatives.available import check_available
from nablax.derivatives.evaluation import Evaluation, OptionError, make_evaluation
from nablax.derivatives.plans import Candidate
from nablax.derivatives.statements import places, statements
from nablax.frontend.diagnostics import SpecError
from nablax.system import System

SHOWN = 12  # functionals of one place


def account(system: System) -> Iterator[str]:
    """Lines: per place the functionals that are needed, then the way to them with its counts."""
    found = statements(system)
    yield f"statements: {', '.join(s.name for s in found)}"
    for place, members in places(found).items():
        try:
            check_available(system, members)
            evaluation = make_evaluation(system.problem, members, None)
        except SpecError as error:
            yield f"{place}: {error.diagnostics[0].message}"
            continue
        except OptionError as error:
            yield f"{place}: {error}"
            return
        yield from _place(place, evaluation)


def _place(place: str, evaluation: Evaluation) -> Iterator[str]:
    names = [str(f.stand_in.name) for f in evaluation.needs.functionals]
    names += [str(s.stand_in.name) for s in evaluation.needs.sums]
    names += [str(p.stand_in.name) for p in evaluation.needs.powers]
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    yield f"{place} needs {shown or 'no field'}"
    for group in evaluation.groups:
        best, *others = group.plan.candidates
        yield f"  {_counted(best)}"
        if others:
            yield f"  before {'; '.join(_counted(other) for other in others)}"
    for far in evaluation.remote:
        nodes = far.place.nodes
        where = "once at the base" if nodes is None else f"at {len(nodes.places)} points back"
        if far.shared:
            where += f", or between {far.shared} on the line that a batch shares,"
        yield f"  {where} along {far.place.axis}, {_counted(far.plan.chosen)}"
    for term, inside in evaluation.integrals:
        yield f"  {term.stand_in.name}: {', '.join(line.rule for line in term.lines)};"
        yield "  the rule is fixed, and what it misses is a bias"
        yield from (f"  {line}" for line in _place(f"{term.stand_in.name}", inside))
    for rays in evaluation.needs.surroundings.rays:
        along = len(rays.near) + rays.rays.far
        which = f"{rays.drawn} random directions" if rays.drawn else "every direction of a rule"
        yield f"  around each point at {along} points along {which}"
    for lattice in evaluation.needs.surroundings.lattices:
        yield f"  around each point on a lattice of {lattice.count}^{len(lattice.axes)} points"
    if evaluation.random:
        yield "  losses are products of two independent draws, which are unbiased"
    yield from _sums(evaluation)


def _sums(evaluation: Evaluation) -> Iterator[str]:
    """Sums over families, then functionals over named axes of which directions are drawn."""
    draws = evaluation.draws
    sampling, members = (None, frozenset()) if draws is None else (draws.sampling, draws.members)
    for whole in evaluation.needs.sums:
        if sampling is None or whole.stand_in not in members:
            yield f"  a sum over {whole.size} members, all of them in one array"
        else:
            what = "random directions" if sampling.dense and whole.laplacian is not None else "members"
            yield f"  a sum over {whole.size} members, estimated from {sampling.count} {what} at a time"
    for power in evaluation.needs.powers:
        name = power.stand_in.name
        if sampling is None or power.stand_in not in members:
            vectors = prod(n + 2 for _, n in power.along)
            yield f"  {name}: {len(power.along)} composed Laplacians, {vectors} vectors in arrays"
        else:
            yield f"  {name}: estimated from {sampling.count} random directions at a time"
    if draws is not None:
        for form in draws.forms:
            random = draws.sampling.dense and form.axes
            what = "random" if random else f"of its {len(form.power.directions)}"
            yield (
                f"  {form.functional.stand_in.name}: estimated from {draws.sampling.count} {what} directions "
                "at a time"
            )


def _counted(candidate: Candidate) -> str:
    count = candidate.vectors
    return f"{candidate.name}: {count} vector{'s' if count > 1 else ''}, {candidate.products} products"
