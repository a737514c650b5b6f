"""The look of the figures: methods that differ, readable axes, and files that repeat exactly."""

import itertools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import seaborn as sns
from cycler import Cycler
from matplotlib import colors, rcParamsDefault
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures import panels, style
from rtk.calibration.calibration import METHODS as CALIBRATED


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
    for first, second in itertools.combinations(looks, 2):
        assert np.linalg.norm(lab(first.color) - lab(second.color)) > 15, (first, second)


def lab(color: str) -> NDArray[np.float64]:
    """The coordinates of a colour in CIELAB (CIE 15:2004) for the white D65.

    Colours at a distance of 2.3 can just be told apart side by side. Thin lines need much more.
    """
    rgb = np.array(colors.to_rgb(color))
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(to_xyz @ linear / to_xyz.sum(1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_families_keep_apart_without_red_or_green() -> None:
    """The colours of RTK are warm and those of the baselines are not, for dichromats too.

    The calibrated samplers are a family of their own: solid lines, in purple and red.
    A dichromat sees one axis of hue: red and green, weighted as in luminance, against blue.
    """
    for name, look in style.METHODS.items():
        if name in style.CALIBRATED:
            assert look.linestyle == "-"
            continue
        red, green, blue = colors.to_rgb(look.color)
        warmth = (0.3 * red + 0.7 * green) - blue
        assert (warmth > 0.05) == name.startswith("rtk-"), name
        assert (look.linestyle == "-") == name.startswith("rtk-"), name


def test_calibrated_methods_are_those_of_the_library() -> None:
    assert style.CALIBRATED == CALIBRATED
    assert set(style.CALIBRATED) <= set(style.METHODS)


def test_unknown_method() -> None:
    with pytest.raises(ValueError, match=r"no style for method 'dpm'.*dpm\+\+2m"):
        style.look("dpm")


def test_saved_figures_repeat_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files are the same on another day. Matplotlib takes the date from this variable if it is
    set."""
    for name, seconds in (("a", 0), ("b", 10**9)):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(seconds))
        style.save(drawing(), tmp_path / f"{name}.pdf")
    for suffix in (".pdf", ".png"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert not plt.get_fignums()


def test_both_files_have_the_layout_of_the_first(tmp_path: Path) -> None:
    alone, saved = drawing(), drawing()
    alone.savefig(tmp_path / "alone.pdf")
    style.save(saved, tmp_path / "saved.pdf")
    for one, other in zip(alone.axes, saved.axes, strict=True):
        np.testing.assert_allclose(one.get_position().bounds, other.get_position().bounds)


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


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.045, 0.55, ["0.05", "0.1", "0.2", "0.5"]),
        (0.062, 0.32, ["0.07", "0.1", "0.2", "0.3"]),
        (0.058, 0.11, ["0.06", "0.07", "0.08", "0.09", "0.1"]),
        (1.9, 130.0, ["2", "5", "10", "20", "50", "100"]),
        (0.9e-3, 1.1, ["10^{-3}", "10^{-2}", "10^{-1}", "10^{0}"]),
    ],
)
def test_labels_of_logarithmic_axes(low: float, high: float, expected: list[str]) -> None:
    style.use()
    figure, axes = plt.subplots(figsize=(style.SINGLE, 2.0))
    axes.set(xscale="log", xlim=(low, high))
    style.label_log_axes(figure)
    figure.canvas.draw()
    ticks = [*axes.get_xticklabels(), *axes.get_xticklabels(minor=True)]
    shown = [
        tick.get_text().replace("$\\mathdefault{", "").replace("}}$", "}").replace("}$", "")
        for tick in ticks
        if tick.get_text() and low <= tick.get_position()[0] <= high
    ]
    assert shown == expected
    plt.close(figure)


def test_marked_axes_keep_their_labels() -> None:
    figure, axes = plt.subplots()
    axes.set_xscale("log")
    panels.mark(axes.xaxis, [3.0, 7.0])
    style.label_log_axes(figure)
    figure.canvas.draw()
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["3", "7"]
    panels.mark(axes.xaxis, [3.0, 4.0, 7.0], [3.0, 7.0])
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["3", "", "7"]
    plt.close(figure)


def test_labels_are_kept_that_lie_apart() -> None:
    assert panels.apart([4, 5, 8, 10, 20, 40]) == [40, 20, 10, 5]
    assert panels.apart([6, 4]) == [6, 4]
    assert panels.apart([]) == []


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


def test_the_theme_is_that_of_seaborn() -> None:
    """All that seaborn's theme sets and we do not; no figure uses its colour map unasked."""
    with plt.rc_context():
        sns.set_theme(context="paper", style="ticks", font="DejaVu Sans")
        seaborn = dict(plt.rcParams)
    with plt.rc_context(rcParamsDefault):
        style.use()
        ours = dict(plt.rcParams)
    differ = {name for name, value in seaborn.items() if not same(value, ours[name])}
    assert differ <= {*style.OWN, "image.cmap", "backend"}
    assert not {*style.THEME} & {*style.OWN}


def same(a: object, b: object) -> bool:
    """Whether two values of a parameter are the same, as numbers and colours are compared."""
    if isinstance(a, Cycler) and isinstance(b, Cycler):
        pairs = zip(a, b, strict=True)
        return all(colors.to_hex(x["color"]) == colors.to_hex(y["color"]) for x, y in pairs)
    return bool(a == (pytest.approx(b) if isinstance(b, float) else b))
