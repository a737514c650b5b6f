"""Parts of panels: labels that do not overlap, marks of an axis, and the scale of accuracies."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from figures import panels, style
from figures.plots import mixture_curves


def test_overlapping_boxes_are_moved_apart_and_others_stay() -> None:
    places = np.array([[0.0, 10.0], [1.0, 11.0], [2.0, 11.0], [0.0, 30.0], [50.0, 10.5]])
    moved = panels.separate(places, width=10.0, height=4.0)
    # Three boxes overlap. They keep their order, and all five keep their mean.
    assert np.diff(moved[:3]) == pytest.approx([4.0, 4.0])
    assert moved.mean() == pytest.approx(places[:, 1].mean())
    assert moved[3] - moved[0] == pytest.approx(20.0)
    assert moved[4] - moved[0] == pytest.approx(0.5)


def test_labels_at_equal_ends_do_not_overlap() -> None:
    style.use()
    figure, axes = plt.subplots(figsize=(style.SINGLE, 2.4))
    heights = (1.0, 1.05, 1.1, 1.2, 8.0)
    for height in heights:
        axes.plot([1.0, 100.0], [0.1, height])
    axes.set(xscale="log", yscale="log")
    axes.margins(x=0.15)
    panels.label_ends(axes, [panels.EndLabel("1.00", 100.0, height, "k") for height in heights])
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == len(heights)
    for first, second in itertools.combinations(boxes, 2):
        assert not first.overlaps(second)
    plt.close(figure)


def test_methods_are_drawn_in_the_order_of_the_style_without_exact_samples() -> None:
    frame = pd.DataFrame(
        {"method": ["rtk-mala", "exact", "ddpm"], "nfe_asked": [20, 0, 20], "nfe": [19, 0, 20]}
    ).assign(value=1.0, standard_error=0.1)
    figure, axes = plt.subplots()
    panels.draw_methods(axes, frame, "nfe")
    _, labels = axes.get_legend_handles_labels()
    assert labels == ["DDPM", "RTK-MALA (exact energy)"]
    assert axes.get_xticks().tolist() == [20.0]
    plt.close(figure)


def test_scale_of_accuracies() -> None:
    """Accuracies .9 and .99 have one and two digits, and the scale can be inverted."""
    accuracies = np.array([0.0, 0.5, 0.9, 0.99])
    digits = mixture_curves.digits(accuracies)
    assert digits[2:] == pytest.approx([1.0, 2.0])
    assert mixture_curves.accuracy_of(digits) == pytest.approx(accuracies)
    assert np.isfinite(mixture_curves.digits(np.ones(1))).all()


@pytest.mark.parametrize("colours", [(), (3,)])
def test_images_are_drawn_side_by_side(colours: tuple[int, ...]) -> None:
    """Six images of one level each, whose number is the level, in two rows of two."""
    images = np.ones((6, 4, 5, *colours), np.uint8)
    images *= np.arange(6, dtype=np.uint8).reshape(6, *[1] * (2 + len(colours)))
    figure, axes = plt.subplots()
    panels.draw_images(axes, images, 2, 2)
    picture = np.asarray(axes.images[0].get_array())
    assert picture.shape == (8, 10, *colours)
    quarters = [picture[:4, :5], picture[:4, 5:], picture[4:, :5], picture[4:, 5:]]
    assert [{*quarter.flat} for quarter in quarters] == [{0}, {1}, {2}, {3}]
    plt.close(figure)
