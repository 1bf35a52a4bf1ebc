"""Specs in and texts out, with one-line messages for what a file system can refuse."""

import sys
from pathlib import Path

from nablax.cli.messages import FileProblem
from nablax.frontend.source import Source, read_source

LARGEST = 1 << 24  # bytes of a spec


def read_spec(name: str) -> Source:
    """A spec, as the parser wants it; `-` is standard input. Raises `FileProblem`."""
    return read_source("<stdin>" if name == "-" else name, read_text(name))


def read_text(name: str) -> str:
    """The text of a file as it is; `-` is standard input. Raises `FileProblem`."""
    if name == "-":
        return _decode(sys.stdin.buffer.read(LARGEST + 1), "standard input")
    path = Path(name)
    try:
        if path.is_dir():
            raise FileProblem(f"`{name}` is a folder")
        with path.open("rb") as file:
            return _decode(file.read(LARGEST + 1), f"`{name}`")
    except FileNotFoundError:
        raise FileProblem(f"there is no `{name}`") from None
    except (OSError, ValueError) as error:
        raise FileProblem(f"`{name}` cannot be read ({_reason(error)})") from None


def _decode(data: bytes, what: str) -> str:
    if len(data) > LARGEST:
        raise FileProblem(f"{what} is larger than {LARGEST >> 20} MiB", 1)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        raise FileProblem(f"{what} is not UTF-8 ({byte})", 1) from None


def write_text(path: Path, text: str) -> None:
    """Write a file whole, through a neighbour that replaces it. Raises `FileProblem`."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """The same for bytes."""
    neighbour = path.with_name(f".{path.name}.partial")
    try:
        if path.is_symlink():
            path = path.resolve()
        neighbour.write_bytes(data)
        if path.exists():
            neighbour.chmod(path.stat().st_mode)
        neighbour.replace(path)
    except OSError as error:
        neighbour.unlink(missing_ok=True)
        raise FileProblem(f"`{path}` cannot be written ({_reason(error)})") from None


def folder_of(name: str) -> Path:
    """Where the files that a spec names lie."""
    return Path.cwd() if name == "-" else Path(name).parent


def stem_of(name: str) -> str:
    """What a run's files are called when nobody says."""
    return "out" if name == "-" else Path(name).stem


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]
