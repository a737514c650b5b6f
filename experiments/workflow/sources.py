"""Which of the project's own files run when a script does: inputs of the rule that runs it."""

import os
from modulefinder import ModuleFinder


def sources(script: str, root: str = ".") -> list[str]:
    """`script` and the files under `root` that it imports, directly or through others.

    The imports are read from the compiled code, nothing is executed. Paths are relative to `root`.
    """
    finder = ModuleFinder(path=[root])
    finder.run_script(script)
    files = [getattr(module, "__file__", None) for module in finder.modules.values()]
    return sorted(os.path.relpath(file, root) for file in files if file is not None)
