"""The LALR(1) tables of `pde.lark`, kept in a cache of the user's own."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from lark import Lark, Token
from lark.exceptions import LarkError
from lark.lexer import Lexer

from nablax.frontend.caching import cache_folder
from nablax.frontend.nodes import NodeBuilder


class _NoLexer(Lexer):
    """The parser is fed tokens one by one, from `lexer.py`, and lexes nothing itself."""

    def __init__(self, configuration: object) -> None:
        pass

    def lex(self, lexer_state: object, parser_state: object) -> Iterator[Token]:
        return iter(())


@cache
def statement_parser() -> Lark:
    """The parser of one statement; loads in about 10 ms where the cache can be kept."""
    text = files("nablax.frontend").joinpath("pde.lark").read_text("utf-8")
    folder = cache_folder()
    if folder is not None:
        try:
            return _load(text, str(folder / "statement.lark-tables"))
        except (OSError, LarkError):  # full or forbidden: the cache is a convenience
            pass
    return _load(text, False)


def _load(text: str, cache_file: str | bool) -> Lark:
    return Lark(
        text,
        start="statement",
        parser="lalr",
        lexer=_NoLexer,
        transformer=NodeBuilder(),
        strict=True,  # a conflict is an error
        maybe_placeholders=True,
        cache=cache_file,
    )
