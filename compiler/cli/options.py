"""Options that several verbs share."""

from collections.abc import Sequence

import click

from nablax.overrides import Overrides

set_option = click.option(
    "--set", "parameters", multiple=True, metavar="NAME=VALUE", help="Replace the value of a parameter."
)
solve_option = click.option(
    "--solve", "solve", multiple=True, metavar="KEY=VALUE", help="Replace an option of the solve block."
)
train_option = click.option(
    "--train", "train", multiple=True, metavar="KEY=VALUE", help="Replace an option of the train block."
)


def overrides(parameters: Sequence[str], solve: Sequence[str], train: Sequence[str] = ()) -> Overrides:
    """The pairs of `--set`, `--solve` and `--train`; the last of a name wins. Raises `click.BadParameter`."""
    return Overrides(_pairs(parameters, "--set"), _pairs(solve, "--solve"), _pairs(train, "--train"))


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise click.BadParameter(f"`{text}` is not of the form name=value", param_hint=option)
        pairs[name] = value
    return pairs
