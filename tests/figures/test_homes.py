"""Scripts that draw figures or make tables are not libraries: what they share is in an analysis."""

import ast
from pathlib import Path

import pytest

FIGURES = Path(__file__).parents[2] / "figures"
SCRIPTS = [path for folder in ("plots", "tables") for path in (FIGURES / folder).glob("*.py")]


def imported_modules(code: str) -> set[str]:
    """Every module that the code may import; of ``from a import b`` both ``a`` and ``a.b``."""
    modules = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name the whole path of a module"
            modules |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return modules


def is_script(module: str) -> bool:
    return module.startswith(("figures.plots", "figures.tables"))


@pytest.mark.parametrize(
    "path", SCRIPTS, ids=lambda path: str(path.relative_to(FIGURES).with_suffix(""))
)
def test_no_script_imports_another_script(path: Path) -> None:
    assert not [*filter(is_script, imported_modules(path.read_text(encoding="utf-8")))]


@pytest.mark.parametrize("path", [*(FIGURES / "analysis").glob("*.py")], ids=lambda path: path.stem)
def test_no_analysis_imports_a_script(path: Path) -> None:
    assert not [*filter(is_script, imported_modules(path.read_text(encoding="utf-8")))]


@pytest.mark.parametrize(
    "line",
    [
        "import figures.plots.mixing",
        "from figures.tables.mixing import path_cost",
        "from figures.tables import mixing",
        "from figures import tables",
        "def late():\n    from figures.plots import mixing as m",
    ],
)
def test_every_form_of_import_is_seen(line: str) -> None:
    assert any(map(is_script, imported_modules(line)))
