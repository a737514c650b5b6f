"""Which files of the project a script runs; a digest of them is a param of the rule that runs it.

A job is repeated if its params change. One param costs the scheduler of Snakemake much less than a
hundred input files, and the digest can leave out what does nothing: comments, docstrings, layout.

Imports are followed in the text of the code, and no code is executed. A script depends on every
file that it imports, and on all that this file imports.

Some files only pass names on. They are called doors here. Code that takes a name from a door
depends on the file that defines the name, and neither on the door nor on the other names behind it.

- An ``__init__.py`` is a door if it holds nothing but imports, strings and names such as
  ``__all__`` or ``__getattr__``.
- The registry of samplers is a door from the name of a sampler to its class.
"""

import ast
import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REGISTRY = Path("rtk/registry.py")
"""The file whose dictionary `METHODS` holds the samplers by name."""

Name = tuple[str, ...]
"""A dotted name, such as ``("rtk", "metrics", "w2")``."""


def sources(script: str, root: str = ".", methods: Collection[str] | None = None) -> list[str]:
    """The script, and the files under ``root`` that it imports directly or through other files.

    Args:
        script: path of a Python file.
        root: folder that holds the project's packages.
        methods: names of the samplers that the script takes from the registry, if it reaches the
            registry; all of them if this is None.

    Returns:
        Paths relative to ``root``, sorted.

    Raises:
        ValueError: if the registry has no sampler of such a name.
    """
    search = _Search(Path(root), None if methods is None else frozenset(methods))
    search.visit(Path(script).resolve().relative_to(Path(root).resolve()))
    return sorted(str(file) for file in search.files)


def digest(script: str, root: str = ".", methods: Collection[str] | None = None) -> str:
    """A digest of what the files of `sources` do, 16 hexadecimal digits.

    It depends on the paths of the files and on their syntax trees. The trees have no comments and
    no layout, and docstrings are taken out. Other versions of Python may have other trees.

    The arguments and the error are those of `sources`.
    """
    parts = [
        part
        for file in sources(script, root, methods)
        for part in (file, _behaviour((Path(root) / file).read_text(encoding="utf-8")))
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@cache
def _behaviour(text: str) -> str:
    """The syntax tree of a file without its docstrings, as a digest."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        match node:
            case (
                ast.Module(body=[ast.Expr(value=ast.Constant(value=str())), *rest])
                | ast.ClassDef(body=[ast.Expr(value=ast.Constant(value=str())), *rest])
                | ast.FunctionDef(body=[ast.Expr(value=ast.Constant(value=str())), *rest])
            ):
                node.body = rest
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


@dataclass(frozen=True)
class _Code:
    """The names to which the code of one file refers.

    Attributes:
        local: for each name in the file that an import defines, its dotted name.
        imported: dotted names of all imports.
        used: dotted names in expressions that begin with an imported name.
        is_door: whether an ``__init__.py`` with this code is a door.
    """

    local: dict[str, Name]
    imported: frozenset[Name]
    used: frozenset[Name]
    is_door: bool


class _Search:
    """The files that were reached so far, and the names and files that have been followed."""

    def __init__(self, root: Path, methods: frozenset[str] | None) -> None:
        self.root, self.methods = root, methods
        self.files: set[Path] = set()
        self.followed: set[tuple[Name, bool]] = set()

    def visit(self, file: Path) -> None:
        """Add a file, and follow its imports."""
        if file in self.files:
            return
        self.files.add(file)
        code = self._read(file)
        for name in code.imported:
            self.follow(name, used=False)
        for name in code.used:
            self.follow(name)

    def follow(self, name: Name, used: bool = True) -> None:
        """Follow a dotted name to the file that defines it.

        Where a name ends at a door, all names behind the door are followed if the door itself is
        used as an object, and none if it is only imported.
        """
        if (name, used) in self.followed:
            return
        self.followed.add((name, used))
        folder = Path()
        for k, part in enumerate(name):
            init = self._door(folder) if k else None
            if init is not None and part in init.local:
                return self.follow(init.local[part] + name[k + 1 :], used)
            if (self.root / folder / f"{part}.py").is_file():
                return self._enter(folder / f"{part}.py")
            if not (self.root / folder / part).is_dir():
                # The name is not one of the project, or the door defines it itself.
                return self.files.add(folder / "__init__.py") if init is not None else None
            folder /= part
        init = self._door(folder)
        for behind in init.local.values() if init is not None and used else ():
            self.follow(behind)

    def _door(self, folder: Path) -> _Code | None:
        """The ``__init__.py`` of a package if it is a door. If not, visit it, since it is run."""
        init = folder / "__init__.py"
        if not (self.root / init).is_file():
            return None
        code = self._read(init)
        if code.is_door:
            return code
        self.visit(init)
        return None

    def _enter(self, file: Path) -> None:
        """Visit a file; if it is the registry, follow the chosen samplers instead."""
        if file != REGISTRY:
            return self.visit(file)
        tree = ast.parse((self.root / file).read_text(encoding="utf-8"))
        for name in _analyse(_without_other_methods(tree, self.methods), _package(file)).used:
            self.follow(name)

    def _read(self, file: Path) -> _Code:
        return _code((self.root / file).read_text(encoding="utf-8"), _package(file))


def _package(file: Path) -> Name:
    return file.parent.parts


@cache
def _code(text: str, package: Name) -> _Code:
    return _analyse(ast.parse(text), package)


def _analyse(tree: ast.Module, package: Name) -> _Code:
    local: dict[str, Name] = {}
    imported: set[Name] = set()
    used: set[Name] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = tuple(alias.name.split("."))
                imported.add(name)
                local[alias.asname or name[0]] = name if alias.asname else name[:1]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            base += tuple(node.module.split(".")) if node.module else ()
            for alias in node.names:
                if alias.name == "*":
                    used.add(base)
                else:
                    imported.add((*base, alias.name))
                    local[alias.asname or alias.name] = (*base, alias.name)
    used |= {local[chain[0]] + chain[1:] for chain in _chains(tree) if chain[0] in local}
    return _Code(local, frozenset(imported), frozenset(used), all(map(_passes_on, tree.body)))


def _chains(tree: ast.AST) -> Iterator[Name]:
    """Every name of the code together with its attributes, such as ``a.b.c``."""
    for node in ast.iter_child_nodes(tree):
        attributes: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            attributes.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            yield (inner.id, *attributes)
        else:
            yield from _chains(inner)


def _passes_on(statement: ast.stmt) -> bool:
    """Whether a statement of an ``__init__.py`` leaves it a door."""
    match statement:
        case ast.Import() | ast.Expr(value=ast.Constant()):
            return True
        case ast.ImportFrom(names=names):
            return all(alias.name != "*" for alias in names)
        case (
            ast.Assign(targets=[ast.Name(id=name)])
            | ast.AnnAssign(target=ast.Name(id=name))
            | ast.FunctionDef(name=name)
        ):
            return name.startswith("__") and name.endswith("__")
    return False


def _without_other_methods(tree: ast.Module, methods: frozenset[str] | None) -> ast.Module:
    """The code of the registry, reduced to these samplers."""
    if methods is None:
        return tree
    (table,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and ast.unparse(node.target) == "METHODS"
        and isinstance(node.value, ast.Dict)
    )
    names = [ast.literal_eval(key) for key in table.keys if key is not None]
    unknown = methods.difference(names)
    if unknown:
        raise ValueError(f"no sampler is called {sorted(unknown)}: known are {names}")
    kept = [k for k, name in enumerate(names) if name in methods]
    table.keys = [table.keys[k] for k in kept]
    table.values = [table.values[k] for k in kept]
    return tree
