"""Tokens to the outline of a spec: edition, title, blocks and the tokens of each statement.

Brackets are matched here and not in the grammar, so that a message about one shows both ends and the
statements after it are still read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from nablax.frontend.blocks import BLOCKS, MEANT, REQUIRED
from nablax.frontend.diagnostics import Edit, Note, Report
from nablax.frontend.limits import BRACKET_DEPTH, ERRORS_PARSED
from nablax.frontend.source import Span
from nablax.frontend.tokens import CLOSER, Token


@dataclass(frozen=True, slots=True)
class StatementTokens:
    """One statement's tokens, and the token that ended it (NEWLINE, SEMICOLON, RBRACE or END)."""

    tokens: tuple[Token, ...]
    terminator: Token


@dataclass(frozen=True, slots=True)
class BlockTokens:
    """A block with its statements, those left out that have a bracket or a character astray."""

    name: Token
    modifier: Token | None
    statements: tuple[StatementTokens, ...]
    span: Span
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Outline:
    edition: Token | None
    title: Token | None
    blocks: tuple[BlockTokens, ...]


_SIGN = {"LPAR": "(", "LSQB": "[", "LBRACE": "{", "RPAR": ")", "RSQB": "]", "RBRACE": "}"}
_BREAKS = ("NEWLINE", "SEMICOLON")

# A statement goes on after a line break that follows one of these.
GOES_ON = frozenset(
    ("PLUS", "MINUS", "STAR", "SLASH", "CARET", "DOT_SIGN", "CROSS_SIGN", "RELATION", "TILDE", "_COMMA")
)


def outline(tokens: Iterable[Token], report: Report) -> Outline:
    """The outline of a whole text; what stands at a wrong place is reported and passed over."""
    significant = tuple(token for token in tokens if token.kind != "COMMENT")
    return _Reader(significant, report).read()


class _Reader:
    """A cursor over the tokens of one text; the last one is END and is never passed."""

    def __init__(self, tokens: tuple[Token, ...], report: Report) -> None:
        self.tokens = tokens
        self.report = report
        self.at = 0
        self.headed: list[str] = []  # blocks that stand there under another name or as a line

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def peek(self, ahead: int = 1) -> Token:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def advance(self) -> Token:
        token = self.token
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def skip_breaks(self) -> None:
        while self.token.kind in (*_BREAKS, "UNEXPECTED"):
            self.advance()

    # the outermost level

    def read(self) -> Outline:
        self.skip_breaks()
        edition = self.edition()
        self.skip_breaks()
        title = self.advance() if self.token.kind == "STRING" else None
        blocks: list[BlockTokens] = []
        unknown = self.headed
        while True:
            self.skip_breaks()
            if self.token.kind == "END" or len(self.report.diagnostics) > ERRORS_PARSED:
                break
            if self.sign_in_header() is not None or self.headed_line():
                continue
            if self.header_length() is not None:
                block = self.block(blocks, unknown)
                if block is not None:
                    blocks.append(block)
            else:
                self.stray()
        self.check_required(blocks, unknown)
        return Outline(edition, title, tuple(blocks))

    def edition(self) -> Token | None:
        if not (self.token.kind == "NAME" and self.token.text == "pde"):
            return None
        word = self.token
        number = self.peek()
        if number.kind != "NUMBER":
            if self.header_length() is None and number.kind != "COLON":
                self.advance()
                self.report.error(
                    "P011", word.span, "`pde` without an edition",
                    help="the first line is `pde 1`; it may also be left out",
                    edits=[Edit(word.span, "pde 1")],
                )  # fmt: skip
            return None
        self.advance()
        self.advance()
        if number.text != "1":
            newer = number.text.isdigit() and number.text.strip("0") != ""
            what = "is newer than this nablax" if newer else "does not exist"
            self.report.error(
                "P011", number.span, f"edition {number.text} of the language {what}",
                label="this nablax reads edition 1",
                help="update nablax, or write `pde 1` if the text uses nothing newer"
                if newer else "write `pde 1`",
                edits=[] if newer else [Edit(number.span, "1")],
            )  # fmt: skip
        return number

    def header_length(self) -> int | None:
        """How many tokens `NAME [NAME] {` takes from here, or None where no such thing stands."""
        if self.token.kind != "NAME":
            return None
        ahead = 1
        if self.peek(ahead).kind == "NAME":
            ahead += 1
        while self.peek(ahead).kind == "NEWLINE":
            ahead += 1
        return ahead + 1 if self.peek(ahead).kind == "LBRACE" else None

    def sign_in_header(self) -> Token | None:
        """Report and pass over the sign in `fields: {` and `space = {`; None where there is none."""
        at, sign = self.at, self.peek()
        if self.token.kind != "NAME" or sign.kind not in ("COLON", "RELATION"):
            return None
        ahead = 2
        while self.peek(ahead).kind == "NEWLINE":
            ahead += 1
        if self.peek(ahead).kind != "LBRACE":
            return None
        self.report.error(
            "P014", sign.span, f"`{sign.text}` between the name of a block and its brace",
            help="leave it out", edits=[Edit(sign.span, "")],
        )  # fmt: skip
        self.tokens = (*self.tokens[: at + 1], *self.tokens[at + 2 :])
        return sign

    def headed_line(self) -> bool:
        """Report a line such as `BC: u = 0` outside of any block, and pass over it."""
        first = self.token
        if first.kind != "NAME" or self.peek().kind != "COLON" or not self.at_line_start():
            return False
        block = first.text if first.text in BLOCKS else MEANT.get(first.text.lower())
        if block is None:
            return False
        last = first
        while self.token.kind not in ("NEWLINE", "END", "LBRACE", "RBRACE"):
            last = self.advance()
        end, start = last.span.end, first.span.start
        whole = self.token.kind in ("NEWLINE", "END") and last.kind != "COLON"
        behind = Span(start, self.tokens[self.tokens.index(first) + 1].span.end)
        self.report.error(
            "P021", Span(start, end), f"a statement of `{block}` outside of its block",
            help=f"write it in braces: `{block} {{ ... }}`",
            edits=[Edit(behind, f"{block} {{"), Edit(Span(end, end), " }")] if whole else [],
        )  # fmt: skip
        self.headed.append(block)
        return True

    def stray(self) -> None:
        """Something that is no block: reported once, up to the next block."""
        first = self.token
        if first.kind in ("RBRACE", "RPAR", "RSQB"):
            self.advance()
            self.stray_bracket(first)
            return
        if first.kind == "NAME" and first.text in BLOCKS and self.peek().kind in (*_BREAKS, "END"):
            self.advance()
            self.report.error(
                "P014", first.span, f"expected `{{` after `{first.text}`",
                help=f"write the block's statements in braces: `{first.text} {{ ... }}`",
            )  # fmt: skip
        else:
            last = first
            while self.token.kind not in (*_BREAKS, "END", "LBRACE", "RBRACE"):
                last = self.advance()
            if self.token.kind == "LBRACE" and last is first:
                last = self.advance()
            self.report.error(
                "P021", first.span.join(last.span), self.stray_message(first),
                help=self.stray_help(first),
            )  # fmt: skip
        while not (
            self.token.kind == "END"
            or (self.token.kind == "NAME" and self.header_length() is not None)
            or (self.token.kind == "NAME" and self.token.text in BLOCKS and self.at_line_start())
        ):
            self.advance()

    def at_line_start(self) -> bool:
        return self.at == 0 or self.tokens[self.at - 1].kind in _BREAKS

    @staticmethod
    def stray_message(first: Token) -> str:
        if first.kind == "STRING":
            return "a title that is not at the top"
        if first.kind == "NAME" and first.text == "pde":
            return "an edition that is not on the first line"
        return "a statement outside of any block"

    @staticmethod
    def stray_help(first: Token) -> str:
        if first.kind == "STRING":
            return "a spec has one title, before the first block; use `#` for a comment"
        if first.kind == "NAME" and first.text == "pde":
            return "make `pde 1` the first line"
        return "put it into a block, such as `equations { ... }`, or behind `#` as a comment"

    def check_required(self, blocks: list[BlockTokens], unknown: list[str]) -> None:
        present = {block.name.text for block in blocks} | set(unknown)
        missing = [name for name in REQUIRED if name not in present]
        if missing and len(self.report.diagnostics) <= ERRORS_PARSED:
            end = len(self.report.source.text.rstrip())
            listed = ", ".join(f"`{name}`" for name in missing)
            plural = "s" if len(missing) > 1 else ""
            self.report.error(
                "P005", Span(end, end), f"the spec has no {listed} block{plural}", label="the text ends here",
                help="add " + "; ".join(f"`{name} {{ {REQUIRED[name]} }}`" for name in missing),
            )  # fmt: skip

    # blocks

    def block(self, before: list[BlockTokens], unknown: list[str]) -> BlockTokens | None:
        name = self.advance()
        modifier = self.advance() if self.token.kind == "NAME" else None
        while self.token.kind == "NEWLINE":
            self.advance()
        brace = self.advance()
        known = name.text in BLOCKS
        if not known:
            self.unknown_block(name, unknown)
        first = next((block for block in before if block.name.text == name.text), None)
        if first is not None:
            line, _ = self.report.source.position(first.name.span.start)
            self.report.error(
                "P004", name.span, f"a second `{name.text}` block", label="each block stands once",
                notes=[Note(f"the first one is on line {line}", first.name.span)],
                help="move its statements into the first one",
            )  # fmt: skip
        statements, end = self.statements(name, brace)
        if not known:
            return None
        return BlockTokens(name, modifier, statements, name.span.join(end), first is not None)

    def unknown_block(self, name: Token, unknown: list[str]) -> None:
        lower = name.text.lower()
        similar = MEANT.get(lower) or next(iter(get_close_matches(lower, BLOCKS, 1)), None)
        if similar is None:
            self.report.error(
                "P003", name.span, f"there is no block `{name.text}`",
                help="the blocks are " + ", ".join(BLOCKS),
            )  # fmt: skip
            return
        unknown.append(similar)
        self.report.error(
            "P003", name.span, f"there is no block `{name.text}`", label=f"similar: `{similar}`",
            help=f"write `{similar}`", edits=[Edit(name.span, similar)],
        )  # fmt: skip

    def statements(self, name: Token, brace: Token) -> tuple[tuple[StatementTokens, ...], Span]:
        """The statements up to the closing brace, and the span of what ended the block."""
        found: list[StatementTokens] = []
        while True:
            self.skip_breaks()
            if self.token.kind == "RBRACE":
                return tuple(found), self.advance().span
            if len(self.report.diagnostics) > ERRORS_PARSED:
                self.at = len(self.tokens) - 1
                return tuple(found), self.token.span
            if self.token.kind == "END" or self.next_block():
                at = self.token
                end = self.last_span()
                ended = at.kind == "END"
                what = "the text ends" if ended else f"`{at.text}` begins"
                place = Span(end.end, end.end) if ended else at.span
                self.report.error(
                    "P001", brace.span, f"the `{{` of `{name.text}` is never closed", label="opened here",
                    notes=[Note(f"{what} before a `}}`", place)],
                    help="add a `}` after the last statement of the block",
                    edits=[Edit(Span(end.end, end.end), "\n}")],
                )  # fmt: skip
                return tuple(found), end
            statement = self.statement()
            if statement is not None:
                found.append(statement)

    def next_block(self) -> bool:
        return self.token.kind == "NAME" and self.token.text in BLOCKS and self.header_length() is not None

    def last_span(self) -> Span:
        """The last token before the cursor that is no line break."""
        at = self.at - 1
        while at > 0 and self.tokens[at].kind == "NEWLINE":
            at -= 1
        return self.tokens[at].span

    def statement(self) -> StatementTokens | None:
        """The next statement, or None if a bracket or a character in it is astray (which is reported)."""
        start = self.at
        tokens: list[Token] = []
        opened: list[Token] = []
        broken = False
        while True:
            token = self.token
            if len(self.report.diagnostics) > ERRORS_PARSED:
                self.at = len(self.tokens) - 1
                return None
            match token.kind:
                case "NEWLINE" if opened or (tokens and tokens[-1].kind in GOES_ON):
                    self.advance()
                    continue
                case "END" | "NEWLINE" | "SEMICOLON" | "RBRACE" if not opened:
                    return None if broken or not tokens else StatementTokens(tuple(tokens), token)
                case "SEMICOLON":
                    self.unclosed(opened[-1], token)
                    return None
                case "END" | "RBRACE" if opened[-1].kind != "LBRACE" or token.kind == "END":
                    self.unclosed(opened[-1], token)
                    self.resume_after(opened[-1], start)
                    return None
                case "NAME" if opened and self.at_line_start() and self.next_block():
                    self.unclosed(opened[-1], token)
                    self.resume_after(opened[-1], start)
                    return None
                case "UNEXPECTED":  # reported by the lexer
                    broken = True
                case "LBRACE" | "LPAR" | "LSQB":
                    if token.kind == "LBRACE" and not any(o.kind == "LSQB" for o in opened):
                        broken = True
                        self.stray_bracket(token)
                    opened.append(token)
                    if len(opened) == BRACKET_DEPTH + 1:
                        broken = True
                        self.report.error(
                            "P017", token.span, f"brackets nested more than {BRACKET_DEPTH} deep",
                            help="name inner expressions in a `let` block",
                        )  # fmt: skip
                case "RPAR" | "RSQB" | "RBRACE":
                    if not opened:
                        broken = True
                        self.stray_bracket(token)
                    elif CLOSER[opened[-1].kind] != token.kind:
                        broken = True
                        self.mismatched(opened.pop(), token)
                    else:
                        opened.pop()
            tokens.append(self.advance())

    def unclosed(self, opening: Token, at: Token) -> None:
        sign = _SIGN[opening.kind]
        ended = {"END": "the text", "RBRACE": "the block", "SEMICOLON": "the statement"}.get(at.kind)
        text = f"{ended} ends here" if ended else f"`{at.text}` begins here"
        end = self.last_span().end
        span = Span(end, end) if at.kind == "END" else at.span
        self.report.error(
            "P001", opening.span, f"`{sign}` is never closed", label="opened here", notes=[Note(text, span)],
            help=f"add a `{_SIGN[CLOSER[opening.kind]]}`, or remove this `{sign}`",
        )  # fmt: skip

    def resume_after(self, opening: Token, start: int) -> None:
        """Go on at the first line after an unclosed bracket that reads like a statement of its own."""
        end = self.at
        self.at = start
        while self.at < end and self.token is not opening:
            self.advance()
        while self.at < end:
            while self.at < end and self.token.kind != "NEWLINE":
                self.advance()
            self.skip_breaks()
            if self.at < end and self.reads_like_statement(end):
                return
        self.at = end

    def reads_like_statement(self, end: int) -> bool:
        depth = 0
        for token in self.tokens[self.at : end]:
            if token.kind in _BREAKS:
                return False
            if token.kind in CLOSER:
                depth += 1
            elif token.kind in CLOSER.values():
                depth -= 1
                if depth < 0:
                    return False
            elif depth == 0 and token.kind in ("RELATION", "TILDE", "IN", "COLON"):
                return True
        return False

    def mismatched(self, opening: Token, closing: Token) -> None:
        first, second = _SIGN[opening.kind], _SIGN[closing.kind]
        right = _SIGN[CLOSER[opening.kind]]
        self.report.error(
            "P001", closing.span, f"`{first}` is closed by `{second}`", label=f"expected `{right}`",
            notes=[Note(f"`{first}` is opened here", opening.span)],
            help=f"write `{right}`", edits=[Edit(closing.span, right)],
        )  # fmt: skip

    def stray_bracket(self, token: Token) -> None:
        sign = _SIGN[token.kind]
        if token.kind == "LBRACE":
            message, help = "`{` inside of a block", "group with `( )`; only a block has braces"
        elif token.kind == "RBRACE":
            message, help = "`}` closes nothing", "remove it; each block is closed already"
        else:
            message = f"`{sign}` closes nothing"
            opener = "(" if sign == ")" else "["
            help = f"remove it, or add the `{opener}` that it closes"
        self.report.error("P002", token.span, message, help=help)
