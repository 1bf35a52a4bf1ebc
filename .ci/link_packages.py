"""Lay the import package out for type checkers.

The package `nablax` is three folders joined by `pyproject.toml`; a type checker wants one tree.
`.typecheck/nablax/` holds a link per module of `compiler/`, plus `frontend` and `backends`.
"""

from pathlib import Path
from shutil import rmtree

root = Path(__file__).resolve().parent.parent
package = root / ".typecheck" / "nablax"
rmtree(package, ignore_errors=True)
package.mkdir(parents=True)
for entry in (root / "compiler").iterdir():
    if entry.name != "__pycache__":
        (package / entry.name).symlink_to(entry)
for folder in ("frontend", "backends"):
    (package / folder).symlink_to(root / folder)
