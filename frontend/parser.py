r"""Text to syntax: `parse` makes a `Module` of a text and reports what is wrong with it, never raising.

Construct the source with `read_source(name, text)`: it normalises the text (NFC, `\n` line breaks), and
every span then indexes `Source.text`. After an error the reader goes on with the next statement, so one bad
line hides no other.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from lark import Token as LarkToken
from lark.exceptions import UnexpectedToken

from nablax.frontend.blocks import REQUIRED, check_block
from nablax.frontend.borrowed.reading import Declared, Reading, declared_in
from nablax.frontend.borrowed.statement import report_borrowed
from nablax.frontend.diagnostics import Edit, Report
from nablax.frontend.expressions import check_expressions
from nablax.frontend.grammar import statement_parser
from nablax.frontend.lexer import scan
from nablax.frontend.limits import ERRORS_PARSED, EXPRESSION_DEPTH, TEXT_CHARACTERS
from nablax.frontend.nodes import Built
from nablax.frontend.outline import BlockTokens, StatementTokens, outline
from nablax.frontend.source import Source, Span, read_source
from nablax.frontend.syntax import Block, Module, Name, Number, Statement, String
from nablax.frontend.tokens import Token
from nablax.frontend.unexpected import report_unexpected

__all__ = ["parse", "read_source"]


def parse(source: Source, report: Report) -> Module | None:
    """The syntax of a spec without its faulty statements; None if nothing usable could be made."""
    if len(source.text) > TEXT_CHARACTERS:
        report.error(
            "P019", Span(TEXT_CHARACTERS, TEXT_CHARACTERS),
            f"the text has {len(source.text)} characters", label=f"the limit is {TEXT_CHARACTERS}",
            help="put measured data into a file of its own and name it in the `data` block",
        )  # fmt: skip
        return None
    found = outline(scan(source, report), report)
    names = declared_in((b.name.text, [s.tokens for s in b.statements]) for b in found.blocks)
    blocks = tuple(
        block for tokens in found.blocks for block in (_block(tokens, names, report),) if not tokens.duplicate
    )
    if not blocks:
        return None
    edition, title = found.edition, found.title
    return Module(
        Number(Fraction(edition.text), edition.text, edition.span) if edition is not None else None,
        String(title.text[1:-1], title.span) if title is not None else None,
        blocks,
        Span(0, len(source.text)),
    )


def _block(tokens: BlockTokens, names: Declared, report: Report) -> Block:
    """A block with the statements that are well-formed and of a form that it takes."""
    modifier = Name(tokens.modifier.text, tokens.modifier.span) if tokens.modifier is not None else None
    name = Name(tokens.name.text, tokens.name.span)
    _check_filled(tokens, report)
    block = Block(name, modifier, tuple(_statements(tokens, names, report)), tokens.span)
    return check_block(block, report)


def _check_filled(block: BlockTokens, report: Report) -> None:
    """What is required is not left empty; statements that could not be read were told of."""
    example = {**REQUIRED, "time": "t in [0, 1]"}.get(block.name.text)
    if block.statements or example is None or any(block.span.contains(d.span) for d in report.diagnostics):
        return
    help = f"write `{block.name.text} {{ {example} }}`"
    help += ", or leave the block out: the problem is steady then" if block.name.text == "time" else ""
    report.error("P005", block.span, f"`{block.name.text}` is empty", help=help)


def _statements(block: BlockTokens, names: Declared, report: Report) -> Iterator[Statement]:
    before: Token | None = None
    for statement in block.statements:
        if len(report.diagnostics) > ERRORS_PARSED:
            return
        reading = Reading(statement.tokens, block.name.text, names, report.source)
        if not _begins_with_operator(statement, before, report) and not report_borrowed(reading, report):
            parsed = _statement(_readable(statement, block.name.text), report)
            if parsed is not None:
                yield parsed
        before = statement.tokens[-1]


def _readable(statement: StatementTokens, block: str) -> StatementTokens:
    """The tokens as the grammar wants them: a label is one token, words of a kind are separate clauses."""
    tokens = statement.tokens
    if [token.kind for token in tokens[:3]] == ["LSQB", "NAME", "RSQB"]:
        label = Token("LABEL", tokens[1].text, tokens[0].span.join(tokens[2].span))
        tokens = (label, *tokens[3:])
    if block == "fields":  # `A: complex vector`
        spaced: list[Token] = []
        after_colon = False
        for token in tokens:
            if after_colon and token.kind == "NAME" and spaced[-1].kind == "NAME":
                spaced.append(Token("_COMMA", ",", Span(token.span.start, token.span.start)))
            after_colon = after_colon or token.kind == "COLON"
            spaced.append(token)
        tokens = tuple(spaced)
    return replace(statement, tokens=tokens)


_BINARY = ("PLUS", "STAR", "SLASH", "CARET", "DOT_SIGN", "CROSS_SIGN", "RELATION", "TILDE")


def _begins_with_operator(statement: StatementTokens, before: Token | None, report: Report) -> bool:
    first = statement.tokens[0]
    # `-Δu = f` is an equation, `- Δu` the rest of one
    rest = first.kind == "MINUS" and not any(
        token.kind in ("RELATION", "COLON") for token in statement.tokens
    )
    if first.kind not in _BINARY and not rest:
        return False
    sign = report.source.slice(first.span)
    edits = []
    if before is not None:
        end = before.span.end
        after = Span(first.span.start, first.span.end)
        edits = [Edit(Span(end, end), f" {sign}"), Edit(after, "")]
    report.error(
        "P010", first.span, f"a statement begins with `{sign}`", label="the line before ended the statement",
        help=f"end the line before with `{sign}`, or put brackets around the whole", edits=edits,
    )  # fmt: skip
    return True


def _statement(statement: StatementTokens, report: Report) -> Statement | None:
    end = statement.tokens[-1].span.end
    ended = replace(statement.terminator, kind="$END", text="", span=Span(end, end))
    tokens = tuple(
        LarkToken(token.kind, token.text, start_pos=token.span.start, end_pos=token.span.end)
        for token in (*statement.tokens, ended)
    )
    state = statement_parser().parse_interactive()
    result: object = None
    for at, token in enumerate(tokens):
        try:
            result = state.feed_token(token)
        except UnexpectedToken:
            report_unexpected(statement, at, _accepted_after(tokens[:at]), report)
            return None
    assert isinstance(result, Built)
    built: Built[Statement] = result
    if built.depth > EXPRESSION_DEPTH:
        report.error(
            "P017", built.span, f"an expression more than {EXPRESSION_DEPTH} operations deep",
            help="name partial sums and inner expressions in a `let` block",
        )  # fmt: skip
        return None
    return built.node if check_expressions(built.node, report) else None


def _accepted_after(tokens: tuple[LarkToken, ...]) -> frozenset[str]:
    """What could follow; asked afresh, for a token that fails has already reduced what it could."""
    state = statement_parser().parse_interactive()
    for token in tokens:
        state.feed_token(token)
    return frozenset(state.accepts())  # type: ignore[no-untyped-call]
