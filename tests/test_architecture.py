"""The house keeps its shape: one-way imports, every package in the wheel, no forbidden calls."""

import ast
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"frontend": "nablax.frontend", "compiler": "nablax", "backends": "nablax.backends"}
HEAVY = {"sympy", "jax", "numpy", "scipy", "xarray", "zarr", "matplotlib"}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(module, whether it is imported with the file): imports for types only do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lazy = {
        node
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(outer, ast.If) and "TYPE_CHECKING" in ast.unparse(outer.test))
        for node in ast.walk(outer)
    }
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            yield name, node not in lazy


@pytest.mark.parametrize("path", modules("frontend"), ids=lambda p: p.stem)
def test_frontend_knows_lark_only(path):
    for name, _ in imports(path):
        root = name.split(".")[0]
        assert root not in HEAVY, f"{path} imports {name}"
        if root == "nablax":
            assert name.startswith("nablax.frontend") or name == "nablax", f"{path} imports {name}"


@pytest.mark.parametrize("path", modules("compiler"), ids=lambda p: p.stem)
def test_compiler_reaches_backends_and_jax_only_inside_functions(path):
    for name, at_import in imports(path):
        if at_import:
            assert not name.startswith("nablax.backends"), f"{path} imports {name}"
            assert name.split(".")[0] != "jax", f"{path} imports {name}"


def test_every_package_is_in_the_build():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        ".".join((package, *path.parent.relative_to(ROOT / folder).parts))
        for folder, package in FOLDERS.items()
        for path in modules(folder)
    }
    assert set(listed) == found


def test_nothing_forbidden_is_called():
    """No evaluation of text, no pickles, no private JAX."""
    forbidden = re.compile(r"(?<![.\w])(eval|exec|sympify|parse_expr|lambdify)\(|jax\._src|\bpickle\b")
    for folder in FOLDERS:
        for path in modules(folder):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call | ast.Import | ast.ImportFrom):
                    assert not forbidden.search(ast.unparse(node).split("\n")[0]), f"{path}:{node.lineno}"


@pytest.mark.slow
def test_wheel_works_in_an_environment_of_its_own(tmp_path):
    """The wheel holds every module and data file, and its command runs away from the repository."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("nablax-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder, package in FOLDERS.items():
        prefix = package.replace(".", "/")
        for path in [p for p in (ROOT / folder).rglob("*") if p.suffix in (".py", ".lark", ".md", ".pde")]:
            assert f"{prefix}/{path.relative_to(ROOT / folder).as_posix()}" in names
    home = tmp_path / "home"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", wheel], check=True, cwd=tmp_path)
    # The dependencies come from this environment; nablax itself does not (its link is not followed there).
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    others = [p for p in sys.path if p.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(others))
    command = home / "bin" / "nablax"
    new = subprocess.run(
        [command, "new", "heat", "--kind", "heat"], cwd=tmp_path, capture_output=True, text=True
    )
    assert new.returncode == 0, new.stderr
    assert (tmp_path / "heat.pde").exists()
    where = subprocess.run(
        [python, "-c", "import nablax; print(nablax.__file__)"], cwd=tmp_path, capture_output=True, text=True
    )
    assert str(home) in where.stdout
    for verb in ("check", "run"):
        done = subprocess.run([command, verb, "heat.pde"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "heat.zarr").exists()
