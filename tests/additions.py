"""What contributors add, made in a copy of the project for tests of what that changes."""

from pathlib import Path


def add_sampler(project: Path) -> None:
    """A file, its line in the registry of samplers, and its export."""
    samplers = project / "rtk" / "samplers"
    (samplers / "new.py").write_text("class New: ...\n", encoding="utf-8")
    line = "from rtk.samplers.new import New\n"
    with (samplers / "__init__.py").open("a", encoding="utf-8") as init:
        init.write(line)
    registry = project / "rtk" / "registry.py"
    text = registry.read_text(encoding="utf-8")
    text = text.replace("]] = {\n", ']] = {\n    "new": New,\n')
    text = text.replace("from rtk.samplers.base", f"{line}from rtk.samplers.base", 1)
    assert text.count("New") == 2
    registry.write_text(text, encoding="utf-8")
