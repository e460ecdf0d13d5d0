import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.figures.path_controls import draw
from tests import synthetic


def drawn(study, **options):
    return draw(study["path"], styles=study["styles"], **options)


def test_coordinates_of_one_replica_against_the_step():
    study = synthetic.study(["good"])
    figure = drawn(study, replica=2).figure
    for kind, name, factor in (("path", "path of training", 1), ("walk", "random walk", 0.5), ("shuffled", "shuffled steps", 2)):
        for rank in range(4):
            x, y = synthetic.line(synthetic.panel(figure, f"{name}, component {rank + 1}"), "coordinate")
            assert x == list(range(21))
            assert y == pytest.approx(factor * 3 * np.cos(np.pi * (rank + 1) * np.arange(21) / 20) / (rank + 1))
            assert study["path"]["good"][f"{kind}_coordinate"].shape == (21, 3, 4)


def test_shares_of_all_replicas_with_their_median():
    figure = drawn(synthetic.study(["good"])).figure
    shares = synthetic.panel(figure, "share of the variance")
    x, y = synthetic.line(shares, "random walk, median")
    assert y == pytest.approx(0.4 * 0.2 ** np.arange(10.0))
    assert np.round(x).tolist() == list(range(1, 11))
    assert len(synthetic.dots(shares, "path of training, replicas")) == 30
    assert shares.get_yscale() == "log"


def test_medians_are_told():
    picture = drawn(synthetic.study(["good"]))
    assert "path of training 80, 16 and 3.2 %; random walk 40, 8.0 and 1.6 %; shuffled steps 20, 4.0 and 0.80 %" in picture.alt
    assert "Shares: n = 3 replicas" in picture.note


def test_a_network_that_diverged_is_said_to_have_none():
    picture = drawn(synthetic.study(["wild"]))
    assert "path of training none" in picture.alt
    assert not synthetic.panel(picture.figure, "path of training, component 1").lines


def test_one_variant_is_shown():
    with pytest.raises(UserError, match="shows one variant"):
        drawn(synthetic.study())
