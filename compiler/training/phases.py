"""`steps = [adam(20000, lr=1e-3), lbfgs(500)]`."""

from typing import get_args

from nablax.meaning.values import fault
from nablax.problem import Option
from nablax.training.arguments import Arguments, as_call, items, text, unknown
from nablax.training.records import Optimiser, Phase, Schedule

OPTIMISERS: tuple[Optimiser, ...] = get_args(Optimiser)
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)


def read_phases(option: Option) -> tuple[Phase, ...]:
    """One optimiser after the other."""
    phases = []
    for value in items(option.value):
        call = as_call(value)
        if call is None:
            raise fault(
                "P511",
                option.span,
                f"`steps` names optimisers with their numbers of steps, and `{text(value)}` is none",
                "write `steps = [adam(20000, lr=1e-3), lbfgs(500)]`",
            )
        optimiser = next((o for o in OPTIMISERS if o == call.name), None)
        if optimiser is None:
            raise unknown(option, call.name, OPTIMISERS, "an optimiser")
        phases.append(_phase(option, optimiser, Arguments(option, call)))
    return tuple(phases)


def _phase(option: Option, optimiser: Optimiser, given: Arguments) -> Phase:
    steps = given.count("steps")
    match optimiser:
        case "lm":
            phase = Phase(optimiser, steps, damping=given.positive("damping", 1e-2), span=option.span)
        case "lbfgs":
            phase = Phase(optimiser, steps, history=given.count("history", 20), span=option.span)
        case "adam" | "soap":
            phase = Phase(
                optimiser,
                steps,
                rate=given.positive("lr", 1e-3 if optimiser == "adam" else 3e-3),
                schedule=given.word("schedule", SCHEDULES, "constant"),
                warmup=given.count("warmup", 0, least=0),
                decay=given.share("decay", 0.9),
                every=given.count("every", 2000),
                span=option.span,
            )
    given.finish()
    return phase
