"""All rules together."""

from collections.abc import Mapping

from nablax.backends.taylor import arithmetic, control, solving, structural
from nablax.backends.taylor.interpreter import Rule

RULES: Mapping[str, Rule] = {
    **arithmetic.RULES,
    **structural.RULES,
    **control.RULES,
    **solving.RULES,
}
