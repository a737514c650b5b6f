"""One thread per test process, GPU tests only where there is a GPU, and a quick tier.

With ``--quick`` the tests marked as slow are left out, and those that took longer than `QUICK`
seconds when they last ran. Every run records how long its tests took, in pytest's cache.
"""

import pytest
import torch

torch.set_num_threads(1)

QUICK = 0.1
DURATIONS = "rtk/durations"


def pytest_addoption(parser: pytest.Parser) -> None:
    text = f"leave out tests that are slow or took longer than {QUICK} s when they last ran"
    parser.addoption("--quick", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    # The workers of pytest-xdist report to the process that started them.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Stopwatch(config), "stopwatch")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not torch.cuda.is_available():
        for item in items:
            if "gpu" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="no GPU"))
    if config.getoption("--quick"):
        took = durations(config)
        long = [i for i in items if "slow" in i.keywords or took.get(i.nodeid, 0.0) > QUICK]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in set(long)]


class Stopwatch:
    """Remembers how many seconds each test took, its fixtures included."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        earlier = self.seconds.get(report.nodeid, 0.0)
        self.seconds[report.nodeid] = earlier + report.duration

    def pytest_sessionfinish(self) -> None:
        if hasattr(self.config, "cache"):
            self.config.cache.set(DURATIONS, durations(self.config) | self.seconds)


def durations(config: pytest.Config) -> dict[str, float]:
    """Seconds of each test at its last run; none are known under ``-p no:cacheprovider``."""
    known: dict[str, float] = config.cache.get(DURATIONS, {}) if hasattr(config, "cache") else {}
    return known
