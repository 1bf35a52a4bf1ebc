"""`train` block → Training: every option checked, every default chosen with its reason."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar, get_args

from nablax.ansatz.derive import Ansatz, derive
from nablax.derivatives.available import check_available
from nablax.derivatives.evaluation import Evaluation, OptionError, make_evaluation
from nablax.derivatives.statements import INSIDE, places, statements
from nablax.frontend.diagnostics import Note, Report, SpecError
from nablax.machine import machine_memory, size_text
from nablax.meaning.values import Fault, fault, outside
from nablax.models import Model, read_model
from nablax.plan import Choice, Dtype
from nablax.problem import Axis, Option
from nablax.system import System
from nablax.training import defaults
from nablax.training.arguments import real, whole, word
from nablax.training.phases import read_phases
from nablax.training.points import read_counts, read_sampler
from nablax.training.records import Phase, Sampler, Training, Weighting
from nablax.training.sizes import least_squares_bytes, trained_numbers
from nablax.training.smoothness import check_smooth
from nablax.training.trial import NoPower, built_in, starting_powers
from nablax.training.weights import read_weighting
from nablax.training.windows import left_later

T = TypeVar("T")


def read_training(system: System, report: Report) -> Training | None:
    """The training run that a spec asks for, completed by defaults; None where the report has errors."""
    reading = _Reading(system, report)
    training = reading.training()
    return None if reading.failed else training


class _Reading:
    """One pass over the options; what was asked for and what was chosen, in the order of the account."""

    def __init__(self, system: System, report: Report) -> None:
        self.system = system
        self.report = report
        self.failed = False
        self.given = {o.name: o for o in system.problem.train}
        self.choices: list[Choice] = []
        self.places = tuple(places(statements(system)))
        self.names = (*self.places, *(s.name for s in statements(system)))

    def read(self, name: str, reader: Callable[[Option], T], default: T) -> tuple[T, bool]:
        """(the option's value or the default, whether the spec asks for it)."""
        if name not in self.given:
            return default, False
        option = self.given[name]
        try:
            return reader(option), True
        except Fault as error:
            (outside(option.given, error) if option.given else error).tell(self.report)
            self.failed = True
            return default, True

    def choose(self, what: str, value: str, reason: str, asked: bool) -> None:
        span = self.given[what].span if what in self.given else None
        self.choices.append(Choice(what, value, "the spec asks for it" if asked else reason, asked, span))

    def training(self) -> Training:
        problem = self.system.problem
        evaluation = self._evaluation()
        sampled = evaluation is not None and evaluation.random
        small = defaults.small(problem) and not sampled
        given = read_model(problem, self.report)
        self.failed = self.failed or given is None
        asked = given if "model" in self.given else None
        phases, phases_asked = self.read("steps", _phases, None)
        if phases is None:
            phases, why = defaults.phases(asked, small)
            self.choose("steps", _steps(phases), why, False)
        else:
            self.choose("steps", _steps(phases), "", phases_asked)
        second = any(not p.first_order for p in phases)
        model, why = (asked, "") if asked is not None else defaults.model(second)
        self.choose("model", _model(model), why, asked is not None)
        dtype = self._dtype(phases)
        usual = defaults.counts(self.places, second)
        counts, told = self.read("points", lambda o: read_counts(o, self.places, usual), usual)
        self.choose("points", ", ".join(f"{n} {p}" for p, n in counts), defaults.WHY_COUNTS, told)
        default, why = defaults.sampler(second, sampled)
        sampler, told = self.read("sampler", lambda o: read_sampler(o, default.every), default)
        self.choose("sampler", _sampler(sampler), why, told)
        self._check_refinement(sampler, sampled)
        usual_weights, why = defaults.weighting(problem)
        weighting, told = self.read("weights", lambda o: read_weighting(o, self.names), usual_weights)
        if told and weighting.balance == "none" and not any(n.startswith("data") for n, _ in weighting.fixed):
            weighting = replace(weighting, fixed=(*usual_weights.fixed, *weighting.fixed))
        self.choose("weights", _weighting(weighting), why, told)
        self._check_weighting(weighting, second)
        if sampled:
            self._check_sampled(phases)
        ensemble = self._number("ensemble", _whole, 1, "one network")
        seed = self._number("seed", lambda o: whole(o, o.value, "`seed`", 0), 0, "any will do")
        built = self._ansatz()
        within = 0 if built is None else built.order
        smooth = check_smooth(self.system, model, within, self.given.get("model"), self.report)
        self.failed = self.failed or not smooth
        windows = self._windows(ensemble, evaluation)
        if built is not None and "hard" in self.given:
            self._tell_left(built, self.given["hard"], windows)
        training = Training(
            model=model,
            phases=phases,
            counts=counts,
            sampler=sampler,
            weighting=weighting,
            seed=seed,
            dtype=dtype,
            hard=built is not None,
            windows=windows,
            ensemble=ensemble,
            batch=self._batch(phases),
            seconds=self._number("time", _positive, None, "as long as the steps take"),
            stop=self._number("stop", _tolerance, 0.0, "the steps are taken to their end"),
            checkpoint=self._number(
                "checkpoint", _whole, defaults.checkpoint(phases), "about twenty over the run"
            ),
            choices=(),
        )
        model = self._started(model, training.hard)
        self._check_size(model, phases, max(count for _, count in counts))
        return replace(training, model=model, choices=tuple(self.choices))

    def _number(self, name: str, reader: Callable[[Option], T], default: T, why: str) -> T:
        value, asked = self.read(name, reader, default)
        self.choose(name, "none" if value is None else f"{value:g}", why, asked)
        return value

    def _ansatz(self) -> Ansatz | None:
        """What `hard` builds in, if it is on: where conditions go in without derivatives of the network, as
        they cost nothing then."""
        hard, asked = self.read("hard", _on, None)
        ansatz = None if hard is False or self.system.problem.families else derive(self.system)
        exact = () if ansatz is None else ansatz.exact
        if hard and not exact:
            reasons = dict(() if ansatz is None else ansatz.left)
            why = "; ".join(f"`{name}`: {reason}" for name, reason in reasons.items())
            self._refuse(
                "hard", f"no condition can be built in{': ' if why else ''}{why}", "write `hard = off`"
            )
        chosen = bool(exact) and (bool(hard) or (ansatz is not None and ansatz.order == 0))
        why = "conditions are terms of the loss"
        if chosen:
            why = f"these hold by construction: {', '.join(exact)}"
        elif exact and not asked:
            why += f"; `on` builds in {', '.join(exact)}, by derivatives of the network in every residual"
        self.choices.append(Choice("hard", "on" if chosen else "off", why, asked))
        return ansatz if chosen else None

    def _tell_left(self, ansatz: Ansatz, option: Option, windows: int) -> None:
        """P516 for every condition that stays a term of the loss, at all times or in later windows."""
        left = dict(ansatz.left)
        later = left_later(self.system, ansatz, windows)
        spans = {s.name: s.span for s in statements(self.system)}
        for name, reason in {**left, **later}.items():
            when = " after the first window" if name in later else ""
            self.report.warning(
                "P516",
                spans[name],
                f"`{name}` is not built in{when}: {reason}",
                label="stays a term of the loss",
                help=f"accept that, or give it weight: `weights = {name.split('/')[0]}(10)`",
                notes=() if option.given else (Note("`hard` is asked for here", option.span),),
            )

    def _started(self, model: Model, hard: bool) -> Model:
        """With the powers of the time that fields start with, less those that built-in conditions bring."""
        wanted, asked = self.read("trial", _on, None)
        try:
            powers = starting_powers(self.system)
        except NoPower as error:
            if wanted:
                self._refuse("trial", str(error), "remove `trial`")
            return model
        if not powers:
            if wanted:
                self._refuse_trial()
            return model
        told = ", ".join(f"{name} like t^{power:.3g}" for name, power in powers.items())
        if not wanted:
            reason = f"`trial = on` adds a network times the power that a field starts with: {told}"
            self.choices.append(Choice("trial", "off", reason, asked))
            return model
        built = built_in(self.system) if hard else {}
        starts = tuple((name, power - built.get(name, 0)) for name, power in powers.items())
        self.choices.append(Choice("trial", "on", f"the spec asks for it: beside whole powers, {told}", True))
        return replace(model, starts=starts)

    def _refuse_trial(self) -> None:
        option = self.given["trial"]
        self.report.error(
            "P515",
            option.span,
            "no field starts like a fractional power of the time",
            help="remove `trial`: one smooth network is enough",
            given=option.given,
        )
        self.failed = True

    def _dtype(self, phases: tuple[Phase, ...]) -> Dtype:
        second = next((p for p in phases if not p.first_order), None)
        default: Dtype = "float32" if second is None else "float64"
        why = (
            "enough for first-order optimisers"
            if second is None
            else f"`{second.optimiser}` loses its way in single precision"
        )
        dtype, asked = self.read("dtype", _dtype, default)
        if asked and dtype == "float32" and second is not None:
            self._refuse(
                "dtype",
                f"`{second.optimiser}` works in float64, and this asks for float32",
                f"remove this line, or leave out `{second.optimiser}`",
            )
        self.choose("dtype", dtype, why, asked)
        return dtype

    def _check_size(self, model: Model, phases: tuple[Phase, ...], points: int) -> None:
        """P514 where least squares needs more memory than there is."""
        phase = next((p for p in phases if p.optimiser == "lm"), None)
        machine = machine_memory()
        if phase is None or machine is None:
            return
        numbers = trained_numbers(self.system.problem, model)
        needed = least_squares_bytes(numbers, points * max(len(b.values) for b in self.system.balances))
        if needed > machine:
            self.report.error(
                "P514",
                phase.span or self.system.problem.span,
                f"`lm` needs about {size_text(needed)} of memory for {numbers:,} weights, more than there is",
                help="use a smaller network, or steps of adam, soap or lbfgs",
            )
            self.failed = True

    def _evaluation(self) -> Evaluation | None:
        """How the equations are evaluated; None where a residual cannot hold them (P402,
        P557), a nonlinear term would be drawn (P559), or a way to have derivatives is not there (P511)."""
        inside = places(statements(self.system))[INSIDE]
        try:
            check_available(self.system, inside)
            return make_evaluation(self.system.problem, inside, None)
        except OptionError as error:
            example = {"derivatives": "stochastic(16)", "quadrature": "quotient(8)"}[error.option]
            self.report.error(
                "P511",
                self.given[error.option].span,
                str(error),
                help=f"write `{error.option} = {example}`",
            )
        except SpecError as error:
            for diagnostic in error.diagnostics:
                self.report.add(diagnostic)
        self.failed = True
        return None

    def _check_refinement(self, sampler: Sampler, sampled: bool) -> None:
        if sampler.refinement != "none" and sampled:
            self._refuse(
                "sampler",
                f"`{sampler.refinement}` ranks points by their residual, which is drawn at random here",
                "use uniform, lhs, sobol or grid",
            )

    def _check_weighting(self, weighting: Weighting, second: bool) -> None:
        if weighting.causal and self.system.time is None:
            self._refuse("weights", "`causal` follows time, and the problem is steady", "remove `causal`")
        if weighting.balance == "selfadaptive" and weighting.causal:
            self._refuse(
                "weights", "`selfadaptive` and `causal` both set the weights of the same points", "keep one"
            )
        if weighting.balance == "selfadaptive" and second:
            self._refuse(
                "weights",
                "`selfadaptive` weights climb along a gradient, and lbfgs and lm take none",
                "use gradnorm or ntk, or steps of adam or soap alone",
            )

    def _check_sampled(self, phases: tuple[Phase, ...]) -> None:
        second = next((p for p in phases if not p.first_order), None)
        if second is not None and "steps" in self.given:
            self._refuse(
                "steps",
                f"`{second.optimiser}` needs exact residuals, and directions are drawn at random here",
                "use adam or soap, or write `derivatives = exact`",
            )

    def _windows(self, ensemble: int, evaluation: Evaluation | None) -> int:
        """Every window begins with the state at the end of the one before, and sees nothing of later ones."""
        windows, asked = self.read("windows", _whole, 1)
        problem = self.system.problem
        unknown = [
            *(p.name for p in problem.parameters if p.unknown),
            *(c.name for c in problem.coefficients),
        ]
        why = ""
        if problem.time is None:
            why = "windows follow time, and the problem is steady"
        elif unknown:
            why = f"windows are trained one after the other, and `{unknown[0]}` is the same at all times"
        elif problem.data:
            why = f"windows are trained one after the other, and `{problem.data[0].name}` speaks of all times"
        elif ensemble > 1:
            why = "windows hand on the state of one network, and this trains several at once"
        elif evaluation is not None and _looks_back(evaluation, problem.time):
            why = "an operator looks back to the start of time, before the window under way"
        if windows > 1 and why:
            self._refuse("windows", why, "remove this line")
        if asked or windows > 1:
            self.choose("windows", str(windows), "", asked)
        return windows

    def _batch(self, phases: tuple[Phase, ...]) -> int | None:
        batch, asked = self.read("batch", _batch_size, None)
        second = next((p for p in phases if not p.first_order), None)
        if batch is not None and second is not None:
            self._refuse("batch", f"`{second.optimiser}` takes all points at every step", "remove this line")
        self.choose("batch", "all points" if batch is None else str(batch), "they fit at once", asked)
        return batch

    def _refuse(self, name: str, message: str, help: str) -> None:
        """P513: options that exclude each other."""
        option = self.given.get(name)
        span = self.system.problem.span if option is None else option.span
        self.report.error("P513", span, message, help=help, given="" if option is None else option.given)
        self.failed = True


def _looks_back(evaluation: Evaluation, time: Axis) -> bool:
    """Whether a statement holds a fractional derivative along time."""
    return any(group.place.axis == time.symbol for group in evaluation.remote)


def _phases(option: Option) -> tuple[Phase, ...] | None:
    return read_phases(option)


def _whole(option: Option) -> int:
    return whole(option, option.value, f"`{option.name}`")


def _batch_size(option: Option) -> int | None:
    return _whole(option)


def _positive(option: Option) -> float | None:
    value = real(option, option.value, f"`{option.name}`")
    if value <= 0:
        raise fault("P511", option.span, f"`{option.name}` must be positive", f"write `{option.name} = 60`")
    return value


def _tolerance(option: Option) -> float:
    value = real(option, option.value, f"`{option.name}`")
    if value < 0:
        raise fault("P511", option.span, f"`{option.name}` is not negative", "write `stop = 1e-6`")
    return value


def _on(option: Option) -> bool | None:
    return word(option, option.value, ("on", "off"), f"`{option.name}`") == "on"


def _dtype(option: Option) -> Dtype:
    return word(option, option.value, get_args(Dtype), f"`{option.name}`")


def _model(model: Model) -> str:
    return f"{model.architecture}(width={model.width}, depth={model.depth}, act={model.activation})"


def _steps(phases: tuple[Phase, ...]) -> str:
    return ", ".join(f"{p.optimiser}({p.steps})" for p in phases)


def _sampler(sampler: Sampler) -> str:
    name = sampler.spread if sampler.refinement == "none" else sampler.refinement
    return f"{name}(every={sampler.every})" if sampler.every else name


def _weighting(weighting: Weighting) -> str:
    parts = [f"{name}: {value:g}" for name, value in weighting.fixed]
    if weighting.balance != "none":
        parts.append(weighting.balance)
    if weighting.causal:
        parts.append(f"causal({weighting.causal:g})")
    return ", ".join(parts) or "1"
