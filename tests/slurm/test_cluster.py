"""The workflow on a Slurm cluster, and what its comparison of results sees."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from tests.project.contents import content
from tests.slurm import cluster


@pytest.mark.slow
@pytest.mark.skipif(bool(cluster.missing()), reason=cluster.missing())
def test_results_are_equal_on_a_cluster_and_when_a_node_dies(tmp_path: Path) -> None:
    """Two jobs, about three minutes. Nothing of the cluster is left afterwards."""
    cluster.prove([*cluster.TARGETS], tmp_path)
    assert not cluster.CONFIG.exists()
    assert not [node for node in cluster.NODES if cluster.processes(f"SLURMD_NODENAME={node}")]


def test_no_cluster_beside_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `slurm.conf` that exists is refused and stays as it is."""
    config = tmp_path / "slurm.conf"
    config.write_text("ClusterName=theirs", encoding="utf-8")
    monkeypatch.setattr(cluster, "CONFIG", config)
    monkeypatch.setattr(cluster, "PROGRAMS", ())
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with (
        pytest.raises(RuntimeError, match="exists: this machine has a cluster"),
        cluster.cluster(tmp_path),
    ):
        pass
    assert config.read_text(encoding="utf-8") == "ClusterName=theirs"


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PROGRAMS", ("no-such-program",))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert cluster.missing().startswith("not installed: no-such-program (on Debian: apt-get")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert cluster.missing() == "only root can start the daemons of Slurm"


def test_content_of_a_table_is_every_bit_of_its_numbers_but_no_times(tmp_path: Path) -> None:
    def digest(**columns: object) -> str:
        path = tmp_path / "table.parquet"
        pd.DataFrame({"value": [0.1, np.nan], "seconds": [1.0, 2.0]} | columns).to_parquet(path)
        return content(path)

    assert digest() == digest(seconds=[3.0, 4.0])
    assert digest() != digest(value=[np.nextafter(0.1, 1.0), np.nan])
    assert digest() != digest(value=["0.1", "nan"])
    assert digest() != digest(other=[1, 2])


def test_content_of_arrays_is_every_bit_of_them_but_no_provenance(tmp_path: Path) -> None:
    def digest(array: npt.ArrayLike, provenance: str = "") -> str:
        np.savez(tmp_path / "arrays.npz", nfe_5=array, provenance=provenance)
        return content(tmp_path / "arrays.npz")

    zeros = np.zeros(4)
    assert digest(zeros) == digest(zeros, "another time")
    assert digest(zeros) != digest(-zeros)
    assert digest(zeros) != digest(zeros.reshape(2, 2))
    assert digest(zeros) != digest(zeros.astype(np.float32))


def test_every_result_but_logs_and_benchmarks_is_compared(tmp_path: Path) -> None:
    for name in ("data/a.csv", "tables/b.csv", "logs/c.log", "benchmarks/d.tsv"):
        path = tmp_path / "results" / "smoke" / name
        path.parent.mkdir(parents=True)
        path.write_text(name, encoding="utf-8")
    assert {*cluster.contents(tmp_path)} == {"data/a.csv", "tables/b.csv"}
