"""`points = [residual(4096), initial(256)]` and `sampler = rad(every=15)`."""

from collections.abc import Sequence
from typing import get_args

from nablax.meaning.values import fault
from nablax.problem import Option
from nablax.training.arguments import Arguments, as_call, items, text, unknown, whole
from nablax.training.records import Refinement, Sampler, Spread

FAMILIES = {
    "residual": "equation",
    "equation": "equation",
    "initial": "initial",
    "boundary": "boundary",
    "data": "data",
}
SPREADS: tuple[Spread, ...] = get_args(Spread)
REFINEMENTS: tuple[Refinement, ...] = get_args(Refinement)


def read_counts(
    option: Option, places: Sequence[str], usual: tuple[tuple[str, int], ...]
) -> tuple[tuple[str, int], ...]:
    """Points by place, the `usual` ones where the text names none; a bare number is for the equations."""
    found = dict(usual)
    for value in items(option.value):
        call = as_call(value)
        if call is None:
            found["equation"] = whole(option, value, "the number of points")
            continue
        place = place_of(option, call.name, places)
        given = Arguments(option, call)
        found[place] = given.count("count")
        given.finish()
    return tuple(found.items())


def place_of(option: Option, name: str, places: Sequence[str]) -> str:
    """`residual` → `equation`. P510 for an unknown word, P512 for a place that the problem lacks."""
    if name not in FAMILIES:
        raise unknown(option, name, ("residual", "initial", "boundary", "data"), "a set of points")
    family = FAMILIES[name]
    if not any(p.split("/")[0] == family for p in places):
        held = {
            "initial": "states no initial condition",
            "boundary": "has no bounded axis",
            "data": "has no data",
        }
        raise fault(
            "P512",
            option.span,
            f"`{name}` is for nothing: the problem {held[family]}",
            f"remove `{name}(..)`",
        )
    return family


def read_sampler(option: Option, every: int) -> Sampler:
    """`sobol`, `uniform(every=500)`, `rad(every=15, k=1, c=1)`, `rar(every=100, share=0.2)`."""
    call = as_call(option.value)
    if call is None:
        raise unknown(option, text(option.value), (*SPREADS, *REFINEMENTS[1:]), "the sampler")
    given = Arguments(option, call)
    spread = next((s for s in SPREADS if s == call.name), None)
    if spread is not None:
        sampler = Sampler(spread, "none", given.count("every", 0, least=0))
    elif call.name == "rad":
        sampler = Sampler(
            "sobol", "rad", given.count("every", every), given.positive("k", 1.0), given.positive("c", 1.0)
        )
    elif call.name == "rar":
        sampler = Sampler("sobol", "rar", given.count("every", every), share=given.share("share", 0.2))
    else:
        raise unknown(option, call.name, (*SPREADS, *REFINEMENTS[1:]), "the sampler")
    given.finish()
    return sampler
