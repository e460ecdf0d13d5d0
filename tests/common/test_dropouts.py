import numpy as np
import pytest
import torch
from torch.nn import functional

from scripts.common import dropouts, parts

KINDS = [{"kind": "dropout", "rate": 0.3}, {"kind": "drop_connect", "rate": 0.3}, {"kind": "drop_block", "rate": 0.3, "block": 2}]
SHAPE = (3, 4, 6, 6, 50)


def generators(count=SHAPE[0], seed=0):
    return [np.random.default_rng([seed, replica]) for replica in range(count)]


def dropped(settings, values=None, *, seed=0):
    values = torch.ones(SHAPE, dtype=torch.float64) if values is None else values
    return parts.call(dropouts, settings, values, generators=generators(len(values), seed))


@pytest.mark.parametrize("settings", KINDS[:2])
def test_the_expectation_is_preserved(settings):
    values = torch.randn((3, 8, 1), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    mean = dropped(settings, values.expand(3, 8, 20_000)).mean(dim=2)
    assert ((mean - values[..., 0]).abs() < 5 * np.sqrt(0.3 / 0.7 / 20_000) * values[..., 0].abs()).all()


def test_drop_block_preserves_the_mean_of_a_batch_but_not_of_each_place():
    found = dropped(KINDS[2])
    torch.testing.assert_close(found.mean(dim=(1, 2, 3, 4)), torch.ones(3, dtype=torch.float64))
    assert found[..., 0, 0, :].mean() > 1.1
    assert found[..., 3, 3, :].mean() < 0.95


@pytest.mark.parametrize("kind", ["dropout", "drop_connect"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_a_share_is_zero_and_the_rest_rescaled(kind, rate):
    found = dropped({"kind": kind, "rate": rate})
    assert np.unique(found.numpy()) == pytest.approx([0, 1 / (1 - rate)])
    shares = (found == 0).double().mean(dim=(1, 2, 3, 4))
    assert shares.numpy() == pytest.approx(rate, abs=5 * np.sqrt(rate * (1 - rate) / found[0].numel()))
    # Values next to each other are dropped independently.
    zero = (found == 0).double()
    for axis in range(1, 5):
        both = (zero.narrow(axis, 0, 3) * zero.narrow(axis, 1, 3)).mean()
        assert both == pytest.approx(rate**2, abs=0.02)


def by_definition(generator, shape, rate, block):
    """Return the mask of one replica by algorithm 1, value by value: zero around each seed that was drawn."""
    channels, height, width, samples = shape
    high, wide = min(block, height), min(block, width)
    gamma = rate / (high * wide) * height * width / (height - high + 1) / (width - wide + 1)
    drawn = generator.random((channels, height - high + 1, width - wide + 1, samples), dtype=np.float32)
    mask = np.ones(shape)
    for channel, row, column, sample in np.argwhere(drawn < gamma):
        mask[channel, row : row + high, column : column + wide, sample] = 0
    return mask * mask.size / mask.sum()


@pytest.mark.parametrize(("size", "block"), [((6, 6), 3), ((6, 5), 2), ((8, 8), 1), ((4, 4), 7), ((2, 5), 3)])
def test_drop_block_is_that_of_its_algorithm(size, block):
    shape = (2, *size, 30)
    found = dropped({"kind": "drop_block", "rate": 0.4, "block": block}, torch.ones((3, *shape), dtype=torch.float64))
    for replica, generator in enumerate(generators()):
        np.testing.assert_allclose(found[replica].numpy(), by_definition(generator, shape, 0.4, block))
    values = torch.randn((3, *shape), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    torch.testing.assert_close(dropped({"kind": "drop_block", "rate": 0.4, "block": block}, values), values * found)


@pytest.mark.parametrize("block", [2, 3])
def test_the_share_that_drop_block_drops(block):
    rate = 0.1
    zero = dropped({"kind": "drop_block", "rate": rate, "block": block}, torch.ones((2, 8, 10, 10, 2000))) == 0
    gamma = rate / block**2 * 100 / (11 - block) ** 2
    # A value in the middle stays if none of block x block anchors is there, one in a corner if one is not.
    assert zero[..., 5, 5, :].double().mean() == pytest.approx(1 - (1 - gamma) ** block**2, rel=0.05)
    assert zero[..., 0, 9, :].double().mean() == pytest.approx(gamma, rel=0.1)
    assert 0.9 * rate < zero.double().mean() < rate


def test_drop_block_drops_whole_blocks():
    zero = (dropped({"kind": "drop_block", "rate": 0.2, "block": 3}, torch.ones((2, 4, 9, 9, 200))) == 0).float()
    maps = zero.permute(0, 1, 4, 2, 3).reshape(-1, 1, 9, 9)
    # Every zero lies in a 3 x 3 block of zeros: opening by the block changes nothing.
    eroded = -functional.max_pool2d(-maps, 3, stride=1)
    opened = functional.max_pool2d(functional.pad(eroded, (2, 2, 2, 2)), 3, stride=1)
    assert torch.equal(opened, maps)
    assert maps.sum() > 1000


@pytest.mark.parametrize("settings", KINDS)
def test_replicas_do_not_depend_on_their_number_and_differ(settings):
    whole = dropped(settings)
    assert torch.equal(whole[:2], dropped(settings, torch.ones((2, *SHAPE[1:]), dtype=torch.float64)))
    assert not torch.equal(whole[0], whole[1])
    assert not torch.equal(whole, dropped(settings, seed=1))
    assert torch.equal(whole, dropped(settings))


@pytest.mark.parametrize("settings", KINDS)
def test_at_rate_0_nothing_is_done_and_nothing_drawn(settings):
    values, own = torch.ones(SHAPE), generators()
    assert parts.call(dropouts, settings | {"rate": 0.0}, values, generators=own) is values
    assert [generator.random() for generator in own] == [generator.random() for generator in generators()]


@pytest.mark.parametrize("settings", KINDS)
def test_gradients_pass_where_nothing_was_dropped(settings):
    values = torch.ones(SHAPE, requires_grad=True)
    found = dropped(settings, values)
    found.sum().backward()
    assert found.dtype == torch.float32
    torch.testing.assert_close(values.grad, found.detach())


def test_a_map_of_which_nothing_is_left_is_zero():
    found = dropped({"kind": "drop_block", "rate": 0.999999, "block": 2}, torch.ones((1, 1, 2, 2, 1)))
    assert (found == 0).all()


def test_the_task_of_the_source():
    """Ten ones at rate 0.3: each is 0 or 1 / 0.7."""
    found = dropped({"kind": "dropout", "rate": 0.3}, torch.ones(1, 10))
    assert found.unique().tolist() == pytest.approx([0, 1 / 0.7])
