"""The configuration, as files of `experiments/config` joined one after the other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from snakemake.utils import update_config

FOLDER = Path(__file__).parents[1] / "config"


def joined(*names: str) -> dict[str, Any]:
    """The files of these names, joined as the Snakefile does it: later ones add to mappings."""
    config: dict[str, Any] = {}
    for name in names:
        text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
        update_config(config, yaml.safe_load(text))
    return config


def calibrated_budgets(config: Mapping[str, Any], dataset: str) -> list[int]:
    """The numbers of score evaluations for which the score of images is calibrated."""
    images, flow = config["images"], config["flow_distance"]
    budgets = {*images["datasets"][dataset]["nfe"]}
    if dataset in flow["datasets"]:
        budgets |= {*flow["nfe"]}
    if images["recorded"]["again"] and dataset in images["recorded"]["datasets"]:
        budgets |= {*images["recorded"]["datasets"][dataset]["nfe"]}
    return sorted(budgets)
