"""The `model` option of `train`: which network, `mlp(width=64, depth=4)`, read and checked without jax."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal, TypeAlias, get_args

import sympy as sp

from nablax.frontend.diagnostics import Report
from nablax.frontend.source import Source
from nablax.geometry import Geometry
from nablax.meaning.given import parse_values
from nablax.meaning.options import replaced_option
from nablax.meaning.scope import Scope
from nablax.meaning.values import Fault, fault, outside
from nablax.problem import Option, OptionCall, OptionValue, Problem

Architecture = Literal["mlp", "modified_mlp", "pirate", "separable"]
Activation = Literal["tanh", "sin", "gelu", "swish", "softplus", "sigmoid", "relu"]
WIDEST = 1 << 16  # outputs of a layer
DEEPEST = 1 << 10  # layers
HARMONICS = 64


@dataclass(frozen=True, slots=True)
class Fourier:
    """`count` random frequencies, normal with deviation `scale` (radians per half a domain)."""

    count: int
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Factorised:
    """Every weight matrix as diag(exp(g)) V, g normal with this mean and deviation."""

    mean: float = 1.0
    deviation: float = 0.1


@dataclass(frozen=True, slots=True)
class Model:
    """A network to be: its body, what the coordinates go through before it, and how weights are held.

    `depth` counts hidden layers (blocks of a `pirate`), `rank` the products that a `separable` one sums.
    Periodic axes enter by the first `harmonics` sines and cosines, so that the network is exactly periodic.
    `starts` are powers of the time since its start, by component: such a component has one more output, and
    is the first of them plus the other times the power.
    """

    architecture: Architecture
    width: int = 64
    depth: int = 4
    rank: int = 32
    activation: Activation = "tanh"
    features: Fourier | None = None
    harmonics: int = 1
    factorised: Factorised | None = None
    ternary: bool = False
    starts: tuple[tuple[str, float], ...] = ()

    def outputs(self, problem: Problem) -> int:
        """Real numbers that the network of the fields gives, two for a complex one."""
        started = [name for name, _ in self.starts]
        return sum((2 if c.complex else 1) * (1 + (c.name in started)) for c in problem.components)


DEFAULT = Model("mlp")

Reader: TypeAlias = Callable[[Model, OptionValue], Model]


class _Wrong(Exception):
    """What an argument should be."""


def read_model(problem: Problem, report: Report) -> Model | None:
    """The model that `train` asks for, the default without a word; None where the report says why."""
    option = next((o for o in problem.train if o.name == "model"), None)
    return DEFAULT if option is None else _read(option, report)


def parse_model(text: str, source: Source, report: Report) -> Model | None:
    """A model from text, `pirate(width=128)`; None where the report says why."""
    given = parse_values({"model": text}, "train", report)
    if "model" not in given:
        return None
    scope = Scope(source, Geometry("cartesian", ()), (), None, {}, "constant")
    try:
        option = replaced_option("model", given["model"], scope)
    except Fault as error:
        error.tell(report)
        return None
    return _read(option, report)


def _read(option: Option, report: Report) -> Model | None:
    try:
        return _model(option)
    except Fault as error:
        (outside(option.given, error) if option.given else error).tell(report)
        return None


def _model(option: Option) -> Model:
    value = option.value
    call = OptionCall(value, ()) if isinstance(value, str) else value
    if not isinstance(call, OptionCall):
        raise fault("P570", option.span, "this is no network", "write `model = mlp(width=64, depth=4)`")
    model = next((m for m in MODELS if m.architecture == call.name), None)
    if model is None:
        names = [m.architecture for m in MODELS]
        similar = get_close_matches(call.name, names, n=1)
        raise fault(
            "P570",
            option.span,
            f"`{call.name}` is no network",
            f"did you mean `{similar[0]}`?" if similar else f"use one of {', '.join(names)}",
        )
    if call.arguments:
        raise fault(
            "P570",
            option.span,
            f"the arguments of `{call.name}` have names",
            f"write `{call.name}(width=64, depth=4)`",
        )
    readers = ARGUMENTS[model.architecture]
    seen: set[str] = set()
    for name, argument in call.options:
        if name not in readers:
            similar = get_close_matches(name, readers, n=1)
            raise fault(
                "P570",
                option.span,
                f"`{name}` is no argument of `{call.name}`",
                f"did you mean `{similar[0]}`?" if similar else f"they are {', '.join(readers)}",
            )
        if name in seen:
            raise fault("P570", option.span, f"`{name}` is given twice", "keep one of the two")
        seen.add(name)
        try:
            model = readers[name](model, argument)
        except _Wrong as wrong:
            raise fault(
                "P570", option.span, f"`{name}` of `{call.name}` is {wrong}", f"write {EXAMPLES[name]}"
            ) from None
    return model


def _whole(value: OptionValue, most: int) -> int:
    if isinstance(value, sp.Integer) and 1 <= value <= most:
        return int(value)
    raise _Wrong(f"a whole number from 1 to {most:,}")


def _number(value: OptionValue, what: str, positive: bool) -> float:
    if isinstance(value, sp.Expr) and value.is_number and value.is_real and value.is_finite:
        number = float(value)
        if number > 0 or not positive:
            return number
    raise _Wrong(what)


def _named(call: OptionCall, names: tuple[str, ...], what: str) -> dict[str, OptionValue]:
    """Arguments of an inner call, by position or by name."""
    given = [*zip(names, call.arguments, strict=False), *call.options]
    found = dict(given)
    if len(call.arguments) > len(names) or set(found) - set(names) or len(found) < len(given):
        raise _Wrong(what)
    return found


def _features(model: Model, value: OptionValue) -> Model:
    what = "a number of random frequencies with their deviation"
    if not (isinstance(value, OptionCall) and value.name == "fourier"):
        raise _Wrong(what)
    found = _named(value, ("count", "scale"), what)
    if "count" not in found:
        raise _Wrong(what)
    scale = _number(found.get("scale", sp.S.One), what, positive=True)
    return replace(model, features=Fourier(_whole(found["count"], WIDEST), scale))


def _factorised(model: Model, value: OptionValue) -> Model:
    what = "`on`, `off`, or the mean and deviation of the logarithms of the factors"
    if value == "off":
        return replace(model, factorised=None)
    if value == "on":
        return replace(model, factorised=Factorised())
    if not (isinstance(value, OptionCall) and value.name == "normal"):
        raise _Wrong(what)
    found = _named(value, ("mean", "deviation"), what)
    chosen = Factorised(
        _number(found.get("mean", sp.S.One), what, positive=False),
        _number(found.get("deviation", sp.Rational(1, 10)), what, positive=True),
    )
    return replace(model, factorised=chosen)


def _activation(model: Model, value: OptionValue) -> Model:
    names: tuple[Activation, ...] = get_args(Activation)
    for name in names:
        if value == name:
            return replace(model, activation=name)
    raise _Wrong(f"one of {', '.join(names)}")


def _weights(model: Model, value: OptionValue) -> Model:
    if value not in ("real", "ternary"):
        raise _Wrong("`real` or `ternary`")
    return replace(model, ternary=value == "ternary")


def _width(model: Model, value: OptionValue) -> Model:
    return replace(model, width=_whole(value, WIDEST))


def _depth(model: Model, value: OptionValue) -> Model:
    return replace(model, depth=_whole(value, DEEPEST))


def _rank(model: Model, value: OptionValue) -> Model:
    return replace(model, rank=_whole(value, WIDEST))


def _harmonics(model: Model, value: OptionValue) -> Model:
    return replace(model, harmonics=_whole(value, HARMONICS))


COMMON: Mapping[str, Reader] = {
    "width": _width,
    "activation": _activation,
    "act": _activation,
    "features": _features,
    "harmonics": _harmonics,
    "factorised": _factorised,
    "weights": _weights,
}
ARGUMENTS: Mapping[Architecture, Mapping[str, Reader]] = {
    "mlp": {**COMMON, "depth": _depth},
    "modified_mlp": {**COMMON, "depth": _depth},
    "pirate": {**COMMON, "blocks": _depth},
    "separable": {**COMMON, "depth": _depth, "rank": _rank},
}
"""What the text may say of each network."""

MODELS = (DEFAULT, Model("modified_mlp"), Model("pirate", depth=3), Model("separable", depth=3))
"""The networks, with what they are where the text says nothing."""

EXAMPLES: Mapping[str, str] = {
    "width": "`width=64`",
    "depth": "`depth=4`",
    "blocks": "`blocks=3`",
    "rank": "`rank=32`",
    "activation": "`activation=tanh`",
    "act": "`act=tanh`",
    "features": "`features=fourier(64, scale=2)`",
    "harmonics": "`harmonics=4`",
    "factorised": "`factorised=on` or `factorised=normal(1, 0.1)`",
    "weights": "`weights=ternary`",
}
