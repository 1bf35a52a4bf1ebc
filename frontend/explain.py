"""The pages behind the codes of messages: what is wrong, a bad and a good example."""

import re
from dataclasses import dataclass
from importlib.resources import files

_CODE = re.compile(r"[A-Z][0-9]{3}")
_PAGE = re.compile(
    r"# (?P<code>\w+): (?P<title>[^\n]+)\n(?P<text>.*?)"
    r"## Bad\n.*?```pde\n(?P<bad>.*?)```.*?## Good\n.*?```pde\n(?P<good>.*?)```",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page in its parts; `bad` yields the code, `good` does not."""

    code: str
    title: str
    text: str
    bad: str
    good: str


def codes() -> list[str]:
    """All codes that have a page, in order."""
    names = (entry.name for entry in files("nablax.frontend").joinpath("pages").iterdir())
    return sorted(name.removesuffix(".md") for name in names if name.endswith(".md"))


def page(code: str) -> str | None:
    """The page of a code as Markdown, or None if there is none; `p301` finds `P301`."""
    code = code.strip().upper()
    if not _CODE.fullmatch(code):  # the code names a file
        return None
    entry = files("nablax.frontend").joinpath("pages", f"{code}.md")
    return entry.read_text("utf-8") if entry.is_file() else None


def read_page(code: str) -> Page | None:
    """The page of a code in its parts, or None if there is none or it lacks a part."""
    match = _PAGE.match(page(code) or "")
    if match is None:
        return None
    return Page(match["code"], match["title"].strip(), match["text"].strip(), match["bad"], match["good"])
