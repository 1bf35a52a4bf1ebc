"""What the language server answers, asked without a protocol around it."""

import unicodedata

import pytest
from lsprotocol.types import Position, Range

from nablax.cli.check import examine
from nablax.frontend.diagnostics import Report
from nablax.frontend.parser import parse
from nablax.frontend.source import Span
from nablax.overrides import Overrides
from nablax.server.completion import completions
from nablax.server.hover import hover
from nablax.server.messages import fixes, shown
from nablax.server.names import declarations, name_at, named, outline
from nablax.server.places import Document

URI = "file:///folder/heat.pde"
HEAT = """pde 1
space  { x in [0, 1] }
time   { t in [0, 1] }
fields { u }
params { ν = 0.1 }
let    { f(s) = s^2 }
equations { [heat] dt(u) = ν*dxx(u) + f(x) }
initial { u = 0 }
boundary { all: u = 0 }
solve { n = 16 }
"""


def opened(text):
    document = Document(URI, text)
    return document, parse(document.source, Report(document.source))


def at(document, piece, more=0):
    return document.source.text.index(piece) + more


@pytest.mark.parametrize("text", [HEAT, HEAT.replace("\n", "\r\n"), "\ufeff" + HEAT, "# 𝛁 first\n" + HEAT])
def test_places_go_to_the_editor_and_back(text):
    document, _ = opened(text)
    shown_lines = text.split("\n")
    for offset, character in enumerate(document.source.text):
        place = document.position(offset)
        assert document.offset(place) == offset
        if character not in "\n\ufeff":
            units = shown_lines[place.line].encode("utf-16-le")[2 * place.character :]
            assert units.decode("utf-16-le", errors="replace").startswith(character)


def test_places_in_a_text_that_is_not_composed():
    # `é` as two characters, which the compiler reads as one.
    text = f"# caf{unicodedata.normalize('NFD', 'é')} u\nspace {{ x in [0, 1] }}"
    document, _ = opened(text)
    assert document.position(at(document, " u")) == Position(0, 7)
    assert document.offset(Position(0, 7)) == at(document, " u")
    assert document.offset(Position(99, 0)) == len(document.source.text)
    assert document.offset(Position(1, 99)) == len(document.source.text)


def test_messages_and_their_fixes(tmp_path):
    document = Document(URI, HEAT.replace("f(x) }", "f(x) + w }").replace("solve { n", "solve { m"))
    found = examine(document.source, Overrides(), tmp_path)
    told = shown(document, found)
    assert {d.code for d in told} == {"P101", "P404"}
    (unknown,) = (d for d in told if d.code == "P101")
    start = HEAT.split("\n")[6].index("}")
    assert (
        unknown.range == Range(Position(6, start - 1 + 2), Position(6, start + 2))
        or unknown.range.start.line == 6
    )
    assert unknown.source == "nablax"
    assert "help: " in unknown.message
    option = Span(at(document, "m = 16"), at(document, "m = 16") + 1)
    for only in (None, ["quickfix"]):
        actions = fixes(document, found, option, only)
        mended = [a for a in actions if a.kind == "quickfix" and a.diagnostics[0].code == "P404"]
        for action in mended:
            (edit,) = action.edit.changes[URI]
            assert edit.range == document.range(option)
    assert not fixes(document, found, Span(0, 0), ["quickfix"])
    assert not fixes(document, found, option, ["refactor"])


def test_all_edits_at_once_give_what_check_fix_writes(tmp_path):
    document = Document(URI, HEAT.replace("all: u = 0", "all: u == 0"))
    found = examine(document.source, Overrides(), tmp_path)
    (action,) = fixes(document, found, Span(0, 0), ["source.fixAll"])
    (edit,) = action.edit.changes[URI]
    assert edit.range == document.whole
    assert not examine(Document(URI, edit.new_text).source, Overrides(), tmp_path)


@pytest.mark.parametrize(
    ("piece", "more", "says"),
    [
        ("ν*dxx", 0, "ν = 0.1"),
        ("dxx(u) +", 0, "derivative along x, then x"),
        ("dt(u)", 1, "derivative along t"),
        ("f(x) }", 0, "f(s) = s^2"),
        ("boundary {", 2, "`side: condition`"),
        ("all: u", 5, "declared in `fields`"),
    ],
)
def test_hovers(piece, more, says):
    document, module = opened(HEAT)
    text, span = hover(document, module, (), at(document, piece, more))
    assert says in text
    assert span.start <= at(document, piece, more) <= span.end


def test_hovers_over_operators_functions_and_messages(tmp_path):
    document, module = opened(HEAT.replace("f(x) }", "laplacian(u) + sin(x) + w }"))
    assert "Laplacian" in hover(document, module, (), at(document, "laplacian"))[0]
    assert "sine" in hover(document, module, (), at(document, "sin("))[0]
    found = examine(document.source, Overrides(), tmp_path)
    text, _ = hover(document, module, found, at(document, "w }"))
    assert text.startswith("**P101: ")
    assert hover(document, module, (), at(document, "= 16")) is None


def test_completions_know_the_block():
    document, module = opened(HEAT)

    def labels(offset):
        return {i.label for i in completions(document.source, module, offset)}

    assert labels(len(document.source.text)) == {"data", "train", "output", "expect"}
    assert {"n", "order", "dt"} <= labels(at(document, "n = 16"))
    assert {"u", "nu", "f", "dx", "dt", "laplacian", "sin", "pi"} <= labels(at(document, "dxx(u)"))
    assert not labels(at(document, "x in"))


def test_completions_survive_a_text_that_does_not_parse():
    for text in ("", "equations { dt(u) = ", "space { x in", "}}}", "solve {"):
        document, module = opened(text)
        completions(document.source, module, len(text))


def test_completions_in_a_block_that_is_not_closed_yet():
    for text, wanted in (
        ("fields { u }\nsolve { ", "order"),
        ("fields { u }\nequations { dt(u) = ", "laplacian"),
    ):
        document, module = opened(text)
        assert wanted in {i.label for i in completions(document.source, module, len(text))}


def test_declarations_uses_and_the_outline():
    document, module = opened(HEAT)
    assert [(d.name, d.block) for d in declarations(module)] == [
        ("x", "space"), ("t", "time"), ("u", "fields"), ("nu", "params"), ("f", "let"),
    ]  # fmt: skip
    name = name_at(module, at(document, "ν*dxx"))
    assert name.id == "nu"
    assert [document.source.slice(s) for s in named(module, "nu")] == ["ν", "ν"]
    blocks = outline(document, module)
    assert [b.name for b in blocks] == [b.name.id for b in module.blocks]
    assert [c.name for c in blocks[1].children] == ["t in [0, 1]"]
