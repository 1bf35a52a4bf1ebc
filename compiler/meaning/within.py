"""Files that a spec names lie in its folder."""

from pathlib import Path

from nablax.frontend import syntax
from nablax.meaning.values import fault


def inside_folder(folder: Path | None, node: syntax.String, form: str) -> Path:
    """The path that a text stands for; `form` says how to write it. Raises P501 or P503."""
    name = node.value
    if folder is None:
        raise fault(
            "P501", node.span, "a spec without a folder cannot name files", "save the spec beside its data"
        )
    root = folder.resolve()
    if not name or "\0" in name:
        raise fault("P501", node.span, "this is no file name", form)
    path = (root / name).resolve()
    if Path(name).is_absolute() or not path.is_relative_to(root):
        raise fault(
            "P503",
            node.span,
            f"`{name}` lies outside the folder of the spec",
            "move the file beside the spec and name it without `..`",
        )
    return path
