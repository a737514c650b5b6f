"""The look of the figures: every method told apart, files that print well and repeat exactly."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib import colors
from matplotlib.figure import Figure

from figures import style


def drawing() -> Figure:
    style.use()
    figure, axes = plt.subplots(figsize=(style.SINGLE, 2.0))
    axes.plot([0, 1], [1, 0], **style.look("rtk-uld").line)
    axes.set_xlabel("score evaluations")
    axes.legend()
    return figure


def test_no_two_methods_look_alike() -> None:
    looks = style.METHODS.values()
    assert len({look.label for look in looks}) == len(looks)
    assert len({look.marker for look in looks}) == len(looks)
    assert len({look.color for look in looks}) == len(looks)


def test_families_keep_apart_without_red_or_green() -> None:
    """RTK is warm and the baselines are not, also in the one axis of hue that a dichromat sees:
    red and green, weighted as in luminance, against blue."""
    for name, look in style.METHODS.items():
        red, green, blue = colors.to_rgb(look.color)
        warmth = (0.3 * red + 0.7 * green) - blue
        assert (warmth > 0.05) == name.startswith("rtk-"), name
        assert (look.linestyle == "-") == name.startswith("rtk-"), name


def test_unknown_method() -> None:
    with pytest.raises(ValueError, match=r"no style for method 'dpm'.*dpm\+\+2m"):
        style.look("dpm")


def test_saved_figures_repeat_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on another day: matplotlib takes the date from this variable where it is set."""
    for name, seconds in (("a", 0), ("b", 10**9)):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(seconds))
        style.save(drawing(), tmp_path / f"{name}.pdf")
    for suffix in (".pdf", ".png"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert not plt.get_fignums()


def test_fonts_are_embedded_as_outlines(tmp_path: Path) -> None:
    style.save(drawing(), tmp_path / "a.pdf")
    content = (tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/Subtype /Type3" not in content


def test_width_in_print(tmp_path: Path) -> None:
    style.save(drawing(), tmp_path / "a.pdf")
    pixels = plt.imread(tmp_path / "a.png")
    assert pixels.shape[:2] == (600, round(style.SINGLE * 300))
    assert np.ptp(pixels) > 0.5


def test_name_without_pdf(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ends in \.pdf"):
        style.save(drawing(), tmp_path / "a.png")
    plt.close("all")


def test_identifiers_are_words_of_names_of_numbers() -> None:
    """A claim's rule reads them as names, so two methods must not share one."""
    identifiers = [style.identifier(method) for method in style.METHODS]
    assert all(name.isidentifier() for name in identifiers)
    assert len({*identifiers}) == len(style.METHODS)
    assert style.identifier("dpm++2m") == "dpm_solver"
