"""The LALR(1) tables of `pde.lark`, kept in a cache of the user's own."""

import os
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from lark import Lark, Token
from lark.exceptions import LarkError
from lark.lexer import Lexer

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
    folder = _cache_folder()
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


def _cache_folder() -> Path | None:
    """A folder that only this user can write: the tables are unpickled, so a shared one would not do."""
    try:
        base = os.environ.get("XDG_CACHE_HOME")
        folder = (Path(base) if base else Path.home() / ".cache") / "nablax"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except (OSError, RuntimeError):
        return None
    own = not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)
    return folder if own and os.access(folder, os.W_OK) else None
