"""A file made a program again."""

import hashlib
from pathlib import Path
from types import MappingProxyType

import jax

from nablax.backends.artifact.calls import callable_of, deserialised
from nablax.backends.artifact.container import Container, read_bytes
from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.artifact.manifest import Manifest, read_manifest
from nablax.backends.artifact.parameters import defaults
from nablax.backends.artifact.program import Artifact
from nablax.backends.artifact.steady import SteadyArtifact, steady_artifact
from nablax.backends.precision import precise

SUFFIX = ".nbx"


def load_artifact(path: str | Path) -> Artifact | SteadyArtifact:
    """The compiled solver in a file that `nablax compile` wrote. Needs neither SymPy nor lark.

    Raises `ArtifactError` for a file that is missing, corrupt, newer, or not for this machine.
    """
    file = Path(path)
    try:
        return unpack(read_bytes(file))
    except ArtifactError as error:
        raise ArtifactError(f"`{file}`: {error}", error.code) from None


def unpack(data: bytes) -> Artifact | SteadyArtifact:
    """The compiled solver in the bytes of such a file. Raises `ArtifactError` without the file's name."""
    container = Container(data)
    manifest = read_manifest(container.manifest)
    _check_whole(container, manifest)
    _check_machine(manifest)
    calls = {}
    with precise(manifest.outline.dtype):
        for entry in manifest.programs:
            exported = deserialised(container.member(entry.member, entry.sha256), entry, manifest.platforms)
            calls[entry.name] = callable_of(exported, entry.differentiable)
    known = MappingProxyType(defaults(manifest.outline))
    build = steady_artifact if manifest.steady else Artifact
    artifact = build(manifest, known, MappingProxyType(calls))
    artifact.rehearse()
    return artifact


def _check_whole(container: Container, manifest: Manifest) -> None:
    listed = {entry.member for entry in manifest.programs}
    missing, strange = listed - container.names, container.names - listed
    if missing:
        raise ArtifactError(f"`{min(missing)[:60]}` is missing")
    if strange:
        raise ArtifactError(f"`{min(strange)[:60]}` belongs to no artifact")
    text = manifest.outline.source.text.encode("utf-8", errors="surrogatepass")
    if hashlib.sha256(text).hexdigest() != manifest.spec_sha256:
        raise ArtifactError("`manifest.spec_sha256` is not the hash of the spec's text")


def _check_machine(manifest: Manifest) -> None:
    backend = jax.default_backend()
    names = {"gpu": ("cuda", "rocm")}.get(backend, (backend,))
    if not set(names) & set(manifest.platforms):
        raise ArtifactError(
            f"it was compiled for {', '.join(manifest.platforms)}, and this machine runs {backend}", "R733"
        )
