"""The optimiser of a phase."""

from nablax.backends.training.first_order import first_order
from nablax.backends.training.least_squares import least_squares
from nablax.backends.training.optimisers import Optimiser
from nablax.backends.training.quasi_newton import quasi_newton
from nablax.backends.training.task import Task
from nablax.training.records import Phase


def optimiser_of(task: Task, phase: Phase) -> Optimiser:
    match phase.optimiser:
        case "adam" | "soap":
            return first_order(task, phase)
        case "lbfgs":
            return quasi_newton(task, phase)
        case "lm":
            return least_squares(task, phase)
