"""Files that are corrupt, truncated, hostile or newer: one line that says where, never anything else."""

import copy
import io
import json
import zipfile
from contextlib import suppress
from importlib import import_module

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jax import export

import nablax
from nablax.backends.artifact.calls import deserialised, signature
from nablax.backends.artifact.container import MANIFEST, Container, pack
from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.artifact.manifest import FORMAT, Program, read_manifest
from nablax.backends.artifact.read import load_artifact, unpack
from nablax.backends.artifact.write import compile_artifact
from tests.artifacts.specs import RING


@pytest.fixture(scope="module")
def good() -> bytes:
    return compile_artifact(nablax.parse(RING, name="spec.pde").compile(), platforms=("cpu",))


def opened(data: bytes) -> tuple[dict, dict[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(members.pop(MANIFEST)), members


def refused(data: bytes) -> str:
    with pytest.raises(ArtifactError) as caught:
        unpack(data)
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message


def test_what_is_no_archive(good: bytes, tmp_path) -> None:
    for data in (b"", b"pde 1", good[:-1], good[: len(good) // 2], good[100:]):
        assert "zip archive" in refused(data) or "damaged" in refused(data)
    with pytest.raises(ArtifactError, match=r"`.*gone\.nbx`: there is no such file"):
        load_artifact(tmp_path / "gone.nbx")
    with pytest.raises(ArtifactError, match="it is a folder"):
        load_artifact(tmp_path)


def test_members(good: bytes) -> None:
    manifest, members = opened(good)
    first = next(iter(members))
    without = {name: data for name, data in members.items() if name != first}
    assert f"`{first}` is missing" in refused(pack(manifest, without))
    assert "`../../evil` belongs to no artifact" in refused(pack(manifest, {**members, "../../evil": b""}))
    assert "its hash differs" in refused(pack(manifest, {**members, first: members[first] + b" "}))
    twice = io.BytesIO(good)
    with zipfile.ZipFile(twice, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(MANIFEST, b"{}")
    assert f"`{MANIFEST}` is there twice" in refused(twice.getvalue())
    crowd = io.BytesIO()
    with zipfile.ZipFile(crowd, "w") as archive:
        for i in range(100):
            archive.writestr(str(i), b"")
    assert "100 members" in refused(crowd.getvalue())


def test_a_bomb_is_not_unpacked() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(MANIFEST, "w") as stream:
        for _ in range(80):
            stream.write(bytes(1 << 20))
    assert "larger than 64 MiB" in refused(bomb.getvalue())
    lying = bytearray(bomb.getvalue())
    size = (80 << 20).to_bytes(4, "little")
    at = lying.rfind(size)
    lying[at : at + 4] = (10).to_bytes(4, "little")
    assert "damaged" in refused(bytes(lying)) or "zip archive" in refused(bytes(lying))


@pytest.mark.parametrize("number", [FORMAT - 1, FORMAT + 1])
def test_another_format_says_so(good: bytes, number: int) -> None:
    manifest, members = opened(good)
    other = {**manifest, "format": number, "nablax": "9.9"}
    assert f"by nablax 9.9 in format {number}; this nablax reads {FORMAT}" in refused(pack(other, members))


CHANGES: dict[str, tuple[str, object]] = {
    "`manifest.outline.grid[0].n` is not a whole number": ("outline.grid.0.n", "many"),
    "has an axis without points": ("outline.grid.0.n", -1),
    "`manifest.outline` and the program `initial` differ": ("outline.grid.0.n", 2**31 - 1),
    "has too many points": ("outline.grid.0", {"n": 2**31, "periodic": False}),
    "`manifest.outline.frames` does not increase": ("outline.frames.1", 9.0),
    "`manifest.outline.span` lies outside of the text": ("outline.span.end", 10**6),
    "`manifest.outline.fields` has a name that is none": ("outline.fields.0.components.0", "../u"),
    "`manifest.outline.dtype` is not one of": ("outline.dtype", "float128"),
    "`manifest.outline.stepping.dt` is no step": ("outline.stepping.dt", -1.0),
    "`manifest.order` is no order of a method": ("order", 99),
    "has a formula that refers ahead": ("outline.statements.0.left.0.1.operands.0", 7),
    "has the step `__import__`": ("outline.statements.0.left.0.0.operation", "__import__"),
    "`manifest.spec_sha256` is not the hash": ("spec_sha256", "0" * 64),
    "takes or returns other than the manifest says": ("programs.1.inputs.0", "float64[7]"),
    "compiled for tpu, and this machine runs": ("platforms.0", "tpu"),
    "`manifest.control` is not one of": ("control", 3),
    "`manifest.parameters` is unknown": ("parameters", []),
}


@pytest.mark.parametrize("said", CHANGES)
def test_manifests_that_make_no_sense(said: str, good: bytes) -> None:
    manifest, members = opened(good)
    path, value = CHANGES[said]
    *outer, last = [int(p) if p.isdigit() else p for p in path.split(".")]
    place = manifest
    for key in outer:
        place = place[key]
    place[last] = {**place[last], **value} if isinstance(value, dict) else value
    assert said in refused(pack(manifest, members))


@pytest.mark.parametrize(
    "text",
    [b"\xff", b"[" * 100_000, b'{"format": NaN}', b'{"format": 2, "format": 2}', b"3", b'{"format": 2}'],
)
def test_manifests_that_are_none(text: bytes) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(MANIFEST, text)
    assert "manifest" in refused(buffer.getvalue())


def test_only_numerical_kernels_are_called() -> None:
    ffi = jax.ffi if hasattr(jax, "ffi") else import_module("jax.extend.ffi")

    def program(a: jax.Array) -> jax.Array:
        return ffi.ffi_call("a_stranger_s_address", jax.ShapeDtypeStruct((), "float64"))(a)

    allowed = [export.DisabledSafetyCheck.custom_call("a_stranger_s_address")]
    exported = export.export(jax.jit(program), platforms=("cpu",), disabled_checks=allowed)(np.zeros(()))
    ends = signature(exported.in_avals), signature(exported.out_avals)
    entry = Program("show", "programs/show", "", False, 10, *ends)
    with pytest.raises(
        ArtifactError, match="`programs/show` calls something other than numerical kernels"
    ) as caught:
        deserialised(bytes(exported.serialize()), entry, ("cpu",))
    assert caught.value.code == "R732"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_fuzzed_bytes(good: bytes, data: st.DataObject) -> None:
    mutated = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        length = data.draw(st.integers(0, 40))
        mutated[at : at + length] = data.draw(st.binary(max_size=40))
    with suppress(ArtifactError):
        unpack(bytes(mutated))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_fuzzed_manifests(good: bytes, data: st.DataObject) -> None:
    manifest = copy.deepcopy(Container(good).manifest)
    replace_somewhere(manifest, data)
    with suppress(ArtifactError):
        read_manifest(manifest)


def replace_somewhere(value, data: st.DataObject) -> None:
    """One entry, at whatever depth, becomes something else."""
    while True:
        key = data.draw(st.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
        inner = value[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.integers(0, 5)) == 0:
            value[key] = data.draw(JSON)
            return
        value = inner
