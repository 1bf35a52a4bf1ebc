"""The file: a zip archive whose members are stored under fixed names, read with bounds on everything.

Nothing is ever unpacked to disk, so no name in it can lead anywhere.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.artifact.records import Json

MANIFEST = "manifest.json"
LARGEST_FILE = 1 << 30
LARGEST_MANIFEST = 1 << 26
LARGEST_MEMBER = 1 << 29
LARGEST_TOTAL = 1 << 30
MOST_MEMBERS = 64
_DATE = (1980, 1, 1, 0, 0, 0)  # no clock in the file


def pack(manifest: Json, members: Mapping[str, bytes]) -> bytes:
    """The bytes of an archive: the manifest first, then the members."""
    text = json.dumps(manifest, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {MANIFEST: text.encode("utf-8"), **members}.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()


def read_bytes(path: Path) -> bytes:
    """The file, if it is of a size that an artifact can have. Raises `ArtifactError`."""
    try:
        if path.is_dir():
            raise ArtifactError("it is a folder")
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ArtifactError("there is no such file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ArtifactError(f"it cannot be read ({reason.lower()})") from None
    if len(data) > LARGEST_FILE:
        raise ArtifactError(f"it is larger than {LARGEST_FILE >> 20} MiB")
    return data


class Container:
    """An open archive. `manifest` is its JSON, not yet looked into."""

    def __init__(self, data: bytes) -> None:
        """Raises `ArtifactError` for anything that is no archive within bounds."""
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
            entries = self._archive.infolist()
        except (zipfile.BadZipFile, ValueError, EOFError, OSError, IndexError, NotImplementedError) as error:
            raise ArtifactError(f"it is no zip archive, or a truncated one ({_said(error)})") from None
        self._entries = _checked(entries)
        self.manifest = self._manifest()

    @property
    def names(self) -> frozenset[str]:
        """Of all members but the manifest."""
        return frozenset(self._entries) - {MANIFEST}

    def member(self, name: str, sha256: str) -> bytes:
        """A member with the hash that the manifest gives. Raises `ArtifactError`."""
        data = self._read(name, LARGEST_MEMBER)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ArtifactError(f"`{name}` is not what the manifest says: its hash differs")
        return data

    def _manifest(self) -> Json:
        data = self._read(MANIFEST, LARGEST_MANIFEST)
        try:
            found: Json = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
            return found
        except ArtifactError:
            raise
        except (ValueError, RecursionError) as error:
            raise ArtifactError(f"`{MANIFEST}` is no JSON ({_said(error)})") from None

    def _read(self, name: str, most: int) -> bytes:
        entry = self._entries.get(name)
        if entry is None:
            raise ArtifactError(f"`{name}` is missing")
        if entry.file_size > most:
            raise ArtifactError(f"`{name}` is larger than {most >> 20} MiB")
        try:
            with self._archive.open(entry) as stream:
                # The size in the directory may lie: what comes out decides.
                data = stream.read(entry.file_size + 1)
        except (
            zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError,
        ) as error:  # fmt: skip
            raise ArtifactError(f"`{name}` is damaged ({_said(error)})") from None
        if len(data) != entry.file_size:
            raise ArtifactError(f"`{name}` is damaged (its size is not the one announced)")
        return data


def _checked(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    if len(entries) > MOST_MEMBERS:
        raise ArtifactError(f"it has {len(entries)} members, more than {MOST_MEMBERS}")
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        shown = entry.filename[:60]
        if entry.filename in found:
            raise ArtifactError(f"`{shown}` is there twice")
        if entry.flag_bits & 1:
            raise ArtifactError(f"`{shown}` is encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArtifactError(f"`{shown}` is compressed in a way that artifacts are not")
        found[entry.filename] = entry
    if sum(e.file_size for e in entries) > LARGEST_TOTAL:
        raise ArtifactError(f"it unpacks to more than {LARGEST_TOTAL >> 20} MiB")
    return found


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, value in pairs:
        if name in found:
            raise ArtifactError(f"`{MANIFEST}` has `{name[:40]}` twice")
        found[name] = value
    return found


def _no_number(word: str) -> Json:
    raise ArtifactError(f"`{MANIFEST}` has a number that JSON does not have: {word}")


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())[:120]
    return (text[:1].lower() + text[1:]) or type(error).__name__
