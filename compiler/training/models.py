"""`model = mlp(width=64, depth=4, act=tanh)`."""

from nablax.problem import Option, OptionCall
from nablax.training.arguments import Arguments, as_call, text, unknown

MODELS = ("mlp",)
ACTIVATIONS = ("tanh", "sin", "gelu", "silu", "softplus")


def read_model(option: Option) -> OptionCall:
    """The call, checked: a known network with sensible sizes."""
    call = as_call(option.value)
    if call is None or call.name not in MODELS:
        raise unknown(option, text(option.value), MODELS, "a model")
    given = Arguments(option, call)
    given.count("width", 64)
    given.count("depth", 4)
    given.word("act", ACTIVATIONS, "tanh")
    given.finish()
    return call
