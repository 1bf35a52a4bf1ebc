"""The blanks between the tokens of a statement."""

from dataclasses import dataclass

from nablax.frontend.source import Source
from nablax.frontend.tokens import Token

_BINARY = ("PLUS", "MINUS", "STAR", "SLASH", "DOT_SIGN", "CROSS_SIGN")
_PREFIX = ("NABLA", "NABLA_DOT", "NABLA_CROSS", "LAPLACE", "BILAPLACE")
_ENDS_VALUE = ("NUMBER", "NAME", "STRING", "RPAR", "RSQB", "SUPER", "VARIATION")
_WORDS = ("IN", "WITHIN", "TILDE")
_SPELLED = ("NAME", "NUMBER", "STRING", "SUPER", "RELATION", "PARTIAL", "COMMENT", "IN", "WITHIN")


@dataclass(frozen=True, slots=True)
class Word:
    """A token as it is written, and whether a blank stands before it."""

    token: Token
    text: str
    apart: bool


@dataclass(frozen=True, slots=True)
class _Role:
    """What a sign does where it stands."""

    binary: bool = False
    opens: bool = False
    closes: bool = False
    label: bool = False  # the bracket that ends a label
    option: bool = False  # `=` inside of brackets


def spell(tokens: tuple[Token, ...], source: Source) -> tuple[Word, ...]:
    """The statements of a line with their blanks made even; line breaks and comments are passed on."""
    roles = _roles(tokens)
    solid = [at for at, token in enumerate(tokens) if token.kind not in ("NEWLINE", "COMMENT")]
    apart = dict.fromkeys(range(len(tokens)), True)
    for number, at in enumerate(solid[1:], 1):
        before = solid[number - 1]
        earlier = solid[number - 2] if number > 1 else None
        after = solid[number + 1] if number + 1 < len(solid) else None
        apart[at] = _apart(tokens, roles, earlier, before, at, after)
    return tuple(Word(token, _text(token, source), apart[at]) for at, token in enumerate(tokens))


def _text(token: Token, source: Source) -> str:
    if token.kind == "VARIATION":
        return "/".join(part.strip() for part in token.text.split("/"))
    return source.slice(token.span) if token.kind in _SPELLED else token.text


def _roles(tokens: tuple[Token, ...]) -> list[_Role]:
    roles: list[_Role] = []
    depth, bars, ended = 0, 0, False
    position = 0  # in the statement
    first = ""
    for token in tokens:
        role = _Role()
        match token.kind:
            case "NEWLINE" | "COMMENT":
                roles.append(role)
                continue
            case "SEMICOLON":
                roles.append(role)
                position, ended = 0, False
                continue
            case "LPAR" | "LSQB":
                depth += 1
                role = _Role(opens=True)
            case "RPAR" | "RSQB":
                depth -= 1
                role = _Role(closes=True, label=position == 2 and first == "LSQB" and depth == 0)
            case "BAR":
                closing = ended and bars > 0
                bars += -1 if closing else 1
                role = _Role(opens=not closing, closes=closing)
            case "RELATION":
                role = _Role(option=depth > 0 and token.text == "=")
            case kind if kind in _BINARY:
                role = _Role(binary=ended)
        if position == 0:
            first = token.kind
        ended = (token.kind in _ENDS_VALUE and not role.label) or (token.kind == "BAR" and role.closes)
        position += 1
        roles.append(role)
    return roles


def _apart(
    tokens: tuple[Token, ...],
    roles: list[_Role],
    earlier: int | None,
    before: int,
    at: int,
    after: int | None,
) -> bool:
    """Whether a blank stands between the tokens `before` and `at`, which follow each other."""
    left, right = tokens[before], tokens[at]

    def gap(first: int | None, second: int | None) -> bool:
        return first is not None and second is not None and (
            tokens[first].span.end < tokens[second].span.start
        )  # fmt: skip

    if roles[before].label or right.kind in _WORDS or left.kind in (*_WORDS, "ALWAYS", "INSIDE"):
        return True
    if left.kind == "NUMBER" and right.kind in ("DOT", "RANGE"):
        return right.kind == "DOT" or left.text.endswith(".")  # `2 .x` and `2. ..3` would be other numbers
    if left.kind in ("_COMMA", "COLON", "SEMICOLON"):
        return True
    if right.kind in ("_COMMA", "COLON", "SEMICOLON", "CARET", "SUPER", "DOT", "RANGE"):
        return False
    if left.kind in _PREFIX:  # `Δu`, but `Δ exp(x)` as it is written
        called = right.kind == "NAME" and after is not None and tokens[after].kind == "LPAR"
        return called and gap(before, at)
    if roles[before].opens or roles[at].closes or left.kind in ("CARET", "DOT", "RANGE"):
        return False
    if right.kind == "RELATION":
        return not roles[at].option
    if left.kind == "RELATION":
        return not roles[before].option
    if roles[at].binary:
        return gap(before, at) or gap(at, after)
    if left.kind in _BINARY:
        return roles[before].binary and (gap(earlier, before) or gap(before, at))
    if left.kind == "PARTIAL":
        return right.kind in ("NAME", "NUMBER") or gap(before, at)
    if left.kind == "NAME" and right.kind in ("LPAR", "LSQB"):
        return False
    return gap(before, at)
