"""The package is built in layers: a module imports from lower layers and from its own folder."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "rtk"

LAYERS = [
    {"checks", "process", "workers"},
    {"compiled"},
    {"segments", "score", "noise"},
    {"kernel", "gaussian_base"},
    {"energy", "warm_start"},
    {"mcmc", "targets"},
    {"samplers"},
    {"schedules"},
    {"plan"},
    {"diagnostics"},
    {"calibration"},
    {"registry"},
    {"sampler"},
    {"laws", "metrics", "adapters"},
]
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")


def layer(module: str) -> int:
    """The number of the layer that a module such as ``rtk.mcmc.mala`` is in."""
    (number,) = (k for k, names in enumerate(LAYERS) if module.split(".")[1] in names)
    return number


def name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports(path: Path) -> set[str]:
    """The modules of the package that a file imports, wherever in the file it does so."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = PACKAGE.parent / (node.module + "." + alias.name).replace(".", "/")
                is_module = inner.with_suffix(".py").exists() or inner.is_dir()
                found.add(f"{node.module}.{alias.name}" if is_module else node.module)
    return {module for module in found if module.startswith("rtk.")}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_go_down_the_layers(path: Path) -> None:
    module = name(path)
    for other in imports(path):
        same_folder = module.count(".") == 2 and other.split(".")[1] == module.split(".")[1]
        assert same_folder or layer(other) < layer(module), f"{module} imports {other}"


def test_no_module_imports_a_door() -> None:
    """Modules import from where a name is defined, not from `rtk` or from a folder's list."""
    for path in MODULES:
        for other in imports(path):
            assert (ROOT / other.replace(".", "/")).with_suffix(".py").exists(), (path, other)


def test_there_is_no_import_circle() -> None:
    graph = {name(path): imports(path) for path in MODULES}
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=name)
def test_no_module_is_longer_than_350_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350
