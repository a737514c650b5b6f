"""What scripts share has a module of its own: a script imports no other script.

The exception is `experiments/mutants`, which runs scripts with faults planted in the samplers.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "experiments").rglob("*.py"))


def is_script(file: Path) -> bool:
    """Whether a file does something when it is run, and not only when it is imported."""
    return '__name__ == "__main__"' in file.read_text(encoding="utf-8")


SCRIPTS = [file for file in FILES if is_script(file) and file.parent.name != "workflow"]


def imported(file: Path) -> set[Path]:
    """Files of the project that a file imports, wherever in the file the import is."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} has a relative import"
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {ROOT / f"{name.replace('.', '/')}.py" for name in names}


OTHERS = [file for file in FILES if file.parent.name != "mutants"]


@pytest.mark.parametrize("file", OTHERS, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_imports_a_script(file: Path) -> None:
    assert not imported(file) & {*SCRIPTS}


def test_every_study_is_a_script() -> None:
    """Otherwise the test above would hold by a script that is taken for a module."""
    names = {str(file.relative_to(ROOT / "experiments")) for file in SCRIPTS}
    assert {"theory/cheeger.py", "mixtures/sample.py", "images/train_score.py"} < names
    assert "theory/two_modes.py" not in names
