"""Where a run may write: spec paths stay in the spec's folder, strangers' files stay as they are."""

import json
from pathlib import Path, PurePosixPath, PureWindowsPath

SCHEMA = 1  # of saved runs; the attribute that says so also marks a dataset as ours
SCHEMA_ATTRIBUTE = "nablax_schema"
MARK = b"nablax"  # in the metadata of pictures and movies
DATA_SUFFIXES = (".zarr", ".nc")
MOVIE_SUFFIXES = (".mp4", ".gif")


class OutputError(Exception):
    """A path that cannot be written or read; the message is one line, lower case, and names the path."""


def inside(folder: Path, name: str) -> Path:
    """The path that `name`, written in a spec, stands for. Raises `OutputError` if it leaves the folder."""
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).is_absolute():
        raise OutputError(f"`{name}` is an absolute path")
    if ".." in PurePosixPath(name).parts:
        raise OutputError(f"`{name}` climbs out of the spec's folder")
    try:
        root = folder.resolve()
        path = (root / name).resolve()
    except (OSError, ValueError) as error:
        raise OutputError(f"`{name}` is no usable path ({_reason(error)})") from None
    if path == root:
        raise OutputError(f"`{name}` names no file")
    if root not in path.parents:
        raise OutputError(f"`{name}` leads out of the spec's folder through a link")
    return folder / name


def claim(path: Path) -> None:
    """Make sure that `path` may be written: free, or written by nablax before. Creates the parent folder.

    Raises `OutputError` otherwise. Deletes nothing.
    """
    try:
        if path.is_symlink():
            raise OutputError(f"`{path}` is a link, and nablax writes through none")
        if path.exists() and not ours(path):
            raise OutputError(f"`{path}` exists and was not written by nablax")
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"`{path}` cannot be written ({_reason(error)})") from None


def ours(path: Path) -> bool:
    """Whether an existing path was written by nablax: a dataset with our schema, or a marked picture."""
    if path.is_dir():
        return _zarr_is_ours(path)
    if path.suffix == ".nc":
        return _netcdf_is_ours(path)
    with path.open("rb") as file:
        head = file.read(1 << 16)
        file.seek(max(0, path.stat().st_size - (1 << 16)))
        return MARK in head or MARK in file.read()


def _zarr_is_ours(path: Path) -> bool:
    # A stranger's file inside makes the folder a stranger's: replacing it would delete the file.
    for entry in path.iterdir():
        if entry.name not in (".zattrs", ".zgroup", ".zmetadata") and not (entry / ".zarray").is_file():
            return False
    try:
        attributes = json.loads((path / ".zattrs").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(attributes, dict) and SCHEMA_ATTRIBUTE in attributes


def _netcdf_is_ours(path: Path) -> bool:
    import h5netcdf

    try:
        with h5netcdf.File(path, "r") as file:
            return SCHEMA_ATTRIBUTE in file.attrs
    except Exception:  # whatever a file that is no netCDF makes the HDF5 library raise
        return False


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]


def reason(error: OSError) -> str:
    """What the system said, in the voice of our messages: "no space left on device"."""
    return _reason(error)
