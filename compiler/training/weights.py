"""`weights = [initial(100), data(10)]`, `weights = adaptive`, `weights = [gradnorm(every=100), causal]`."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from nablax.meaning.values import fault
from nablax.problem import Option, OptionCall
from nablax.training.arguments import Arguments, as_call, items, real, text, unknown
from nablax.training.points import FAMILIES
from nablax.training.records import Balance, Weighting

WAYS = ("adaptive", "gradnorm", "ntk", "selfadaptive", "causal", "static")
TERMS = ("residual", "initial", "boundary", "data")


def read_weighting(option: Option, names: Sequence[str]) -> Weighting:
    """Factors of terms, one way to balance them, and causal weights, in any order."""
    found = Weighting()
    for value in items(option.value):
        call = as_call(value)
        if call is None:
            raise fault(
                "P511",
                option.span,
                f"`weights` names terms with their factors, and `{text(value)}` is none",
                "write `weights = [initial(100), boundary(10)]`, or `weights = adaptive`",
            )
        if call.name in FAMILIES:
            name, factor = _factor(option, call, names)
            found = replace(found, fixed=(*found.fixed, (name, factor)))
        elif call.name in WAYS:
            found = _way(option, call, found)
        else:
            raise unknown(option, call.name, (*TERMS, *WAYS), "a weight")
    if found.fixed and all(factor == 0 for _, factor in found.fixed) and _covers(found, names):
        raise fault("P512", option.span, "all weights are zero", "leave one term a weight")
    return found


def _covers(weighting: Weighting, names: Sequence[str]) -> bool:
    given = {name for name, _ in weighting.fixed}
    return all(n in given or n.split("/")[0] in given for n in names)


def _factor(option: Option, call: OptionCall, names: Sequence[str]) -> tuple[str, float]:
    """`initial(100)` for all initial conditions, `residual(momentum, 2)`, `boundary("x=0", 5)` for one."""
    family = FAMILIES[call.name]
    *words, value = call.arguments or ("",)
    if call.options or len(words) > 1 or not all(isinstance(w, str) for w in words):
        raise fault("P511", option.span, f"`{call.name}` here has a factor", f"write `{call.name}(10)`")
    factor = real(option, value, f"the weight of `{call.name}`")
    if factor < 0:
        raise fault("P512", option.span, f"the weight of `{call.name}` is negative", "give 0 or more")
    name = "/".join((family, *(str(w) for w in words)))
    if not any(n == name or n.startswith(f"{name}/") for n in names):
        there = ", ".join(f"`{_spelled(n)}`" for n in _terms(names))
        message = f"nothing here is called `{_spelled(name)}`"
        raise fault("P512", option.span, message, f"weights belong to these: {there}")
    return name, factor


def _terms(names: Sequence[str]) -> Iterator[str]:
    """Families, then what is below them; a name that is all there is below another is left out."""
    for family in dict.fromkeys(FAMILIES.values()):
        own = dict.fromkeys(n for n in names if n.split("/")[0] == family)
        if own:
            yield family
        parents = [n.rpartition("/")[0] for n in own]
        for name, parent in zip(own, parents, strict=True):
            if name != family and not (parent in own and parents.count(parent) == 1):
                yield name


def _spelled(name: str) -> str:
    """`equation/u` as the text has it: `residual(u)`; `boundary/x=0`: `boundary("x=0")`."""
    family, _, rest = name.partition("/")
    word = next(w for w, f in FAMILIES.items() if f == family)
    if not rest:
        return word
    return f"{word}({rest})" if rest.isidentifier() else f'{word}("{rest}")'


def _way(option: Option, call: OptionCall, found: Weighting) -> Weighting:
    given = Arguments(option, call)
    match call.name:
        case "causal":
            found = replace(found, causal=given.positive("epsilon", 1.0), slabs=given.count("slabs", 16))
        case "static":
            pass
        case name:
            if found.balance != "none":
                raise fault(
                    "P513", option.span, f"`{found.balance}` and `{name}` both set the weights", "keep one"
                )
            if name == "selfadaptive":
                found = replace(found, balance="selfadaptive", rate=given.positive("lr", 1e-2))
            else:
                balance: Balance = "ntk" if name == "ntk" else "gradnorm"
                found = replace(found, balance=balance, every=given.count("every", 100))
    given.finish()
    return found
