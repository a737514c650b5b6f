"""Which of the project's own files a script imports: inputs of the rule that runs the script."""

import os
from modulefinder import ModuleFinder


def local_imports(script: str, root: str = ".") -> list[str]:
    """Files under `root` that `script` imports, directly or through others, itself left out.

    The imports are read from the compiled code, nothing is executed. Paths are relative to `root`.
    """
    finder = ModuleFinder(path=[root])
    finder.run_script(script)
    files = [getattr(module, "__file__", None) for module in finder.modules.values()]
    return sorted(os.path.relpath(f, root) for f in files if f not in (None, script))
