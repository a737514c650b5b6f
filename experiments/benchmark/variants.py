"""Who takes part in the benchmark: each variant is a sampler of a library with its settings."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]

RIVALS_PYTHON = ROOT / ".venv-benchmark" / "bin" / "python"
"""The Python of the environment that `make benchmark` makes for the rivals."""

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
"""Variables that leave a process one computing thread."""


@dataclass(frozen=True)
class Variant:
    """One sampler with its settings.

    Attributes:
        module: the file of `experiments/benchmark` with the function `sampler`.
        options: its keywords.
        one_thread: whether the process has one computing thread.
        one_core: whether it may be bound to one core.
    """

    module: str
    options: dict[str, object] = field(hash=False)
    one_thread: bool = True
    one_core: bool = True

    @property
    def python(self) -> str:
        """The interpreter that has the library."""
        return sys.executable if self.module == "ours" else str(RIVALS_PYTHON)


VARIANTS = {
    "rtk-mala": Variant("ours", {"method": "rtk-mala"}),
    "rtk-mala-workers": Variant("ours", {"method": "rtk-mala", "workers": 2}, one_core=False),
    "rtk-mala-compile": Variant("ours", {"method": "rtk-mala", "compile": True}),
    "blackjax": Variant("rivals", {"method": "mala", "double": False}),
    "blackjax-float64": Variant("rivals", {"method": "mala", "double": True}),
    "rtk-uld": Variant("ours", {"method": "rtk-uld"}),
    "rtk-uld-workers": Variant("ours", {"method": "rtk-uld", "workers": 2}, one_core=False),
    "rtk-uld-compile": Variant("ours", {"method": "rtk-uld", "compile": True}),
    "diffrax": Variant("rivals", {"method": "align", "double": False}),
    "diffrax-float64": Variant("rivals", {"method": "align", "double": True}),
}
"""The variants whose chain-steps are compared, on one thread but for those with workers."""

THREADED = {
    "rtk-mala": VARIANTS["rtk-mala"],
    "rtk-mala-workers": VARIANTS["rtk-mala-workers"],
    "rtk-mala-threads": Variant("ours", {"method": "rtk-mala", "threads": None}, False, False),
    "blackjax": VARIANTS["blackjax"],
    "blackjax-threads": Variant("rivals", {"method": "mala", "double": False}, False, False),
}
"""Settings of threads, for two runs at once: "-threads" leaves a library its own default."""
