import numpy as np
import pytest
from sklearn.datasets import load_digits

from scripts.common import storage
from scripts.common.errors import UserError
from scripts.datasets.digits import generate


def example(seed=3, train_samples=1000, test_samples=797):
    return generate(seed=seed, train_samples=train_samples, test_samples=test_samples)


def digits(data, part):
    return data[f"{part}_y"].argmax(axis=1)


def places(data, part):
    """Return where the images of a part stand in the whole set: no image of it is there twice."""
    whole = {row.tobytes(): place for place, row in enumerate(load_digits().data / 16)}
    assert len(whole) == 1797
    return [whole[row.tobytes()] for row in data[f"{part}_x"]]


def test_images_and_digits_belong_together_and_no_image_is_in_both_parts():
    data, target = example(), load_digits().target
    train, test = places(data, "train"), places(data, "test")
    assert sorted([*train, *test]) == list(range(1797))
    assert digits(data, "train").tolist() == target[train].tolist()
    assert digits(data, "test").tolist() == target[test].tolist()


def test_pixels_are_from_0_to_1_and_targets_one_hot():
    data = example()
    assert data["train_x"].shape == (1000, 64)
    assert (data["train_x"].min(), data["train_x"].max()) == (0, 1)
    assert data["train_x"].std() == pytest.approx(load_digits().data.std() / 16, rel=0.02)
    assert data["train_y"].shape == (1000, 10)
    assert (np.sort(data["train_y"], axis=1) == [0] * 9 + [1]).all()
    assert data["grid_x"].shape == (0, 64)
    assert data["grid_y"].shape == (0, 10)


@pytest.mark.parametrize("count", [10, 100, 300, 1000])
def test_each_digit_has_its_share(count):
    data, share = example(train_samples=count), np.bincount(load_digits().target) / 1797
    for part, size in (("train", count), ("test", 797)):
        found = np.bincount(digits(data, part), minlength=10)
        assert found.sum() == size
        assert np.abs(found - share * size).max() <= 1


def test_the_split_is_drawn_from_the_seed():
    one, same, other = example(seed=3), example(seed=3), example(seed=4)
    assert all(np.array_equal(one[key], same[key]) for key in one)
    shared = len({*places(one, "test")} & {*places(other, "test")})
    assert 797 * 797 / 1797 - 60 < shared < 797 * 797 / 1797 + 60


def test_the_test_images_do_not_depend_on_the_number_of_training_images():
    few, many = example(train_samples=300), example()
    assert np.array_equal(few["test_x"], many["test_x"])
    assert set(places(few, "train")) < set(places(many, "train"))


def test_samples_are_in_no_order_of_digits():
    for part in ("train", "test"):
        assert 0.05 < np.mean(np.diff(digits(example(), part)) == 0) < 0.15


def test_too_many_or_too_few_images_are_refused():
    with pytest.raises(UserError, match=r"1000 training and 798 test images are asked for; there are 1797: ask for fewer"):
        example(test_samples=798)
    with pytest.raises(UserError, match="train_samples: wrong value 9; allowed: 10 to 1000"):
        example(train_samples=9)


def test_data_are_a_file_of_their_kind(tmp_path):
    storage.save(tmp_path / "data.npz", example(), kind=storage.DATA, digest="d")
    assert storage.load(tmp_path / "data.npz", kind="data", digest="d")["train_x"].shape == (1000, 64)


def test_validation_images_are_others_and_leave_the_rest_as_it_is():
    with_validation = generate(seed=3, train_samples=300, test_samples=797, validation_samples=200)
    without = example(train_samples=300)
    assert all(np.array_equal(with_validation[key], without[key]) for key in without)
    drawn = [place for part in ("train", "test", "validation") for place in places(with_validation, part)]
    assert len(set(drawn)) == len(drawn) == 1297
    counts = np.bincount(digits(with_validation, "validation"))
    assert counts.sum() == 200
    assert counts.max() - counts.min() <= 2
    assert digits(with_validation, "validation").tolist() == load_digits().target[places(with_validation, "validation")].tolist()


def test_a_share_of_the_training_labels_is_wrong_and_no_other():
    noisy = generate(seed=3, train_samples=300, test_samples=797, validation_samples=200, label_noise=0.2)
    clean = generate(seed=3, train_samples=300, test_samples=797, validation_samples=200)
    assert all(np.array_equal(noisy[key], clean[key]) for key in clean if key != "train_y")
    wrong = digits(noisy, "train") != digits(clean, "train")
    assert wrong.sum() == 60
    shifts = (digits(noisy, "train") - digits(clean, "train"))[wrong] % 10
    assert set(shifts) == set(range(1, 10))
    assert (noisy["train_y"].sum(axis=1) == 1).all()
    other = generate(seed=4, train_samples=300, test_samples=797, label_noise=0.2)
    assert not np.array_equal(other["train_y"], noisy["train_y"])


def test_more_images_than_there_are_are_refused_with_those_of_validation():
    with pytest.raises(UserError, match="1000 training, 1 validation and 797 test images are asked for; there are 1797"):
        generate(seed=0, train_samples=1000, test_samples=797, validation_samples=1)
