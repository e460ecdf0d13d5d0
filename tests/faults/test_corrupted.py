"""Stored files that are damaged, of every kind and in every way: none is used, each is named, and the next build makes it anew."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from scripts import report
from scripts.common import job, memory, products, storage
from scripts.common.plan import Plan
from scripts.common.recipe import code_digest
from scripts.common.resume import KIND, Resume
from scripts.common.yaml_file import read_yaml
from tests.builds import snakemake
from tests.copies import forget
from tests.faults import damage
from tests.faults.harness import ask_for_missing_arrays, contents, drawn, ends_well

pytestmark = pytest.mark.slow

DETECTED, HARMLESS = "detected", "harmless"
NOT_STORED_FOR_USE = ("log", "benchmark", ".lock")


def used_by(plan, step, name):
    """Return what a job has of its recipe and its inputs, as its script begins; SystemExit is what it says of one that is damaged."""
    given = SimpleNamespace(
        input=SimpleNamespace(recipe=plan._recipes[step, name].path("results")), log=["results/log/test.log"], rule=step
    )
    with job.run(given) as running:
        pictures = running.recipe.inputs.get("pictures", {})
        loaded = ["manifest"] if step == "crate" else [key for key in running.recipe.inputs if key != "pictures"]
        found = {key: running.load_each(key) for key in loaded}
        if pictures:
            report.with_provenance(found["figures"], {}, pictures)
            found["pictures"] = {key: Path(source.path).read_bytes() for key, source in pictures.items()}
        return running.recipe, found


def same(one, two):
    """Whether two loaded values are the same to the bit."""
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes()
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return one == two


def recipes_reading(plan, path):
    """Return the jobs that read a stored file; a crate only states the checksums of what stands in its folder."""
    found = []
    for (step, name), recipe in plan._recipes.items():
        groups = [recipe.inputs.get("manifest", {})] if step == "crate" else recipe.inputs.values()
        read = [source.path for group in groups for source in group.values()]
        if path.as_posix() in [recipe.path("results"), *read]:
            found.append((step, name))
    return found


def outcome_in_a_job(plan, path, expected):
    """Return what becomes of a damaged file that a job reads."""
    (step, name) = recipes_reading(plan, path)[0]
    try:
        found = used_by(plan, step, name)
    except SystemExit as end:
        told = str(end.code)
        assert told.startswith(f"{step}: {path}: "), told
        assert told.endswith("; it is removed now: run the same command again to have it made anew"), told
        assert "\n" not in told
        assert not path.exists()
        return DETECTED
    assert same(found, expected), "a damaged file was used"
    return HARMLESS


def outcome_in_the_memory(plan, path, _):
    """Return what becomes of a damaged memory of sources: the plan has to be the same."""
    forget(sources=True)
    memory.load(path)
    kept = bool(memory._entries)
    again = Plan(read_yaml("config/report.yaml"))
    assert {key: recipe.digest for key, recipe in again._recipes.items()} == {key: recipe.digest for key, recipe in plan._recipes.items()}
    return HARMLESS if kept else DETECTED


def outcome_in_the_report(_, path, __):
    """Return what becomes of a damaged file of the report, or of a checksum: the file is set aside and made anew."""
    products.set_altered_aside(Path("results"))
    product = path if "report" in path.parts else Path("results/report", *path.parts[2:]).with_suffix("")
    product = Path("results/report/source") if product.is_relative_to("results/report/source") else product
    aside = product.with_name(product.name + products.ASIDE)
    if not aside.exists():
        return HARMLESS
    assert not product.exists()
    aside.replace(product)
    return DETECTED


def outcome_in_the_fonts(_, path, expected):
    """Return what becomes of damaged fonts: the rules that are kept under this name are read as they were, or not at all."""
    try:
        found = storage.load_json(path, digest=path.stem)["rules"]
    except storage.DamagedError:
        return DETECTED
    assert found == expected
    return HARMLESS


def outcome_in_the_code(plan, path, _):
    """Return what becomes of a damaged list of what jobs can reach: no recipe that names it is read, and the next plan writes it anew."""
    recipe = next(recipe for recipe in plan._recipes.values() if code_digest(recipe.code) == path.stem)
    read = Path(recipe.path("results"))
    try:
        assert job.read_recipe(read) == recipe
    except storage.DamagedError as error:
        told = str(error)
    else:
        return HARMLESS
    assert str(path) in told
    plan.write_recipes()
    assert job.read_recipe(read) == recipe
    return DETECTED


HANDLED = {"recipe/sources.memory": outcome_in_the_memory, "report": outcome_in_the_report, "checksum": outcome_in_the_report}
HANDLED |= {"font": outcome_in_the_fonts, "recipe": outcome_in_the_code}


def case(plan, path):
    """Return the function that sees what becomes of a file, and what is read as long as it is whole."""
    below = path.relative_to("results")
    read_by_jobs = recipes_reading(plan, path)
    if read_by_jobs:
        return outcome_in_a_job, used_by(plan, *read_by_jobs[0])
    handled = HANDLED.get(below.as_posix()) or HANDLED[below.parts[0]]
    return handled, storage.load_json(path)["rules"] if handled is outcome_in_the_fonts else None


def stored_files(plan):
    """Return the stored files of a build by the folder that they stand in, but for those that no job and no reader uses."""
    found = {}
    for path in sorted(Path("results").rglob("*")):
        first = path.relative_to("results").parts[0]
        if path.is_file() and first not in NOT_STORED_FOR_USE:
            found.setdefault((first, path.suffix), []).append(path)
    return {
        kind: [path for path in paths if recipes_reading(plan, path) or kind[0] in ("report", "checksum", "font", "recipe")]
        for kind, paths in found.items()
    }


def damaged(plan, count, generator):
    """Damage so many files, one at a time, every kind as often as the others; return how often which outcome was found, by kind."""
    by_kind, found = {kind: paths for kind, paths in stored_files(plan).items() if paths}, Counter()
    kinds = list(by_kind)
    while sum(found.values()) < count:
        kind = kinds[sum(found.values()) % len(kinds)]
        path, way = generator.choice(by_kind[kind]), None
        whole, (outcome, expected) = path.read_bytes(), case(plan, path)
        others = [other.read_bytes() for paths in by_kind.values() for other in paths if other.suffix == path.suffix]
        content = None
        while content is None or content == whole:
            way = generator.choice(damage.ways(path))
            content = way(whole, generator, others)
        path.write_bytes(content)
        try:
            found[kind, outcome(plan, path, expected)] += 1
        except BaseException:
            print(f"undetected: {path}, {way.__name__}")
            raise
        finally:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(whole)
    return found


@pytest.mark.parametrize("count", [40, pytest.param(300, marks=pytest.mark.long)])
def test_no_damaged_file_is_used(count, built_here):
    _, plan = built_here
    found = damaged(plan, count, drawn(f"{count} corruptions"))
    for (kind, outcome), times in sorted(found.items()):
        print(f"{'/'.join(kind):24} {outcome:10} {times}")
    totals = Counter({outcome: sum(times for (_, o), times in found.items() if o == outcome) for outcome in (DETECTED, HARMLESS)})
    print(dict(totals))
    assert totals[DETECTED] + totals[HARMLESS] == count


@pytest.mark.parametrize("count", [20, pytest.param(100, marks=pytest.mark.long)])
def test_a_training_goes_on_from_what_is_whole_of_what_it_has_kept(count, tmp_path):
    generator, found = drawn(f"{count} resumed states"), Counter()
    values, said = np.random.default_rng(generator.randrange(2**32)), []
    keep = Resume(tmp_path / "results/train/mini/wide.npz", digest="d" * 64, say=said.append)
    for first in range(0, 40, 10):
        arrays = {key: values.normal(size=(2,) * len(KIND.arrays[key].axes.split())) for key in ("parameters", "checkpoints", "scores")}
        keep.save(first, first + 10, arrays | {"diverged_at": np.array([-1, first])})
    expected, paths = list(keep.load()), sorted(tmp_path.rglob("*.npz"))
    for _ in range(count):
        path = generator.choice(paths)
        whole, way, content = path.read_bytes(), None, None
        while content is None or content == whole:
            way = generator.choice(damage.ARRAYS)
            content = way(whole, generator, [other.read_bytes() for other in paths])
        path.write_bytes(content)
        said.clear()
        chain = list(keep.load())
        assert same(chain, expected[: len(chain)]), (path, way.__name__)
        assert (len(chain) == len(expected)) == (not said)
        assert all(line.startswith(f"not used: {path}: ") for line in said)
        found[DETECTED if said else HARMLESS] += 1
        path.write_bytes(whole)
    print(dict(found))


@pytest.mark.parametrize("array", ["train_x", "train_y", "test_x", "test_y", "grid_x", "grid_y"])
def test_data_that_are_not_finite_are_not_stored(array, tmp_path):
    arrays = {key: np.zeros((2, 1)) for key in storage.DATA.arrays}
    arrays[array][1, 0] = np.nan
    with pytest.raises(storage.StorageError, match=rf"'{array}' has values that are not finite"):
        storage.save(tmp_path / "x.npz", arrays, kind=storage.DATA, digest="d")


DAMAGED = (
    ("results/train/mini/wide.npz", damage.change_a_weight_in_its_last_bit, ("measure/mini/wide/loss.npz",)),
    ("results/number/mini.csv", damage.change_a_digit, ("claim/mini.json", "table/mini/fates.json")),
    ("results/figure/mini/curves.json", damage.change_a_digit, ("report/report.html",)),
    ("results/report/numbers.csv", damage.change_a_digit, ()),
)


@pytest.mark.parametrize(
    ("path", "way", "missing"),
    [case if "figure" in case[0] else pytest.param(*case, marks=pytest.mark.long) for case in DAMAGED],
    ids=[path for path, _, _ in DAMAGED],
)
def test_a_build_tells_which_file_is_damaged_and_the_next_makes_it_anew(path, way, missing, mini):
    """`missing` are products whose jobs have to run, and so read the damaged file."""
    generator, expected = drawn(path), contents(mini)
    (mini / path).write_bytes(way((mini / path).read_bytes(), generator, []))
    for name in missing:
        (mini / "results" / name).unlink()
    for name in ("html", "pdf") if missing else ():
        (mini / f"results/report/report.{name}").unlink(missing_ok=True)
    done = snakemake(mini, check=not missing)
    assert f"{path}: " in done.stdout
    assert "Traceback" not in done.stdout
    if missing:
        assert done.returncode != 0
        assert "; it is removed now: run the same command again to have it made anew" in done.stdout
    else:
        assert f"{path}: altered since it was made; now at {path}.altered, and to be made anew" in done.stdout
        (mini / f"{path}.altered").unlink()
    ask_for_missing_arrays(mini, expected)
    ends_well(mini, expected)
