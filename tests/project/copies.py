"""Copies of the project, in which tests change files and kill runs."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]


def copy_of_project(folder: Path, *others: str) -> Path:
    """Copy the files that the workflow needs, and others by name, with their dates."""
    for name in ("Snakefile", "rtk", "experiments", "figures", "paper", "profiles", *others):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    return folder
