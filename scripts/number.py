"""The numbers of one study: every scalar of its measurements as a tidy row (see `common.numbers`)."""

from collections.abc import Mapping

from scripts.common import job, numbers, storage
from scripts.common.storage import Arrays


def collect(measured: Mapping[str, tuple[Arrays, Mapping[str, str]]]) -> str:
    """Return the rows of all measurements as CSV text.

    Args:
        measured: arrays and axes of the quantities of each measurement, by ``study/variant/measurement``.
    """
    rows = []
    for name, (arrays, quantities) in measured.items():
        study, variant, _ = name.split("/")
        rows += numbers.rows(study, variant, arrays, quantities)
    return numbers.to_csv(rows)


if __name__ == "__main__":
    with job.run(snakemake) as running:
        sources = running.recipe.inputs["measured"]
        arrays = running.load_each("measured")
        quantities = {name: storage.quantities(source.path) for name, source in sources.items()}
        text = collect({name: (arrays[name], quantities[name]) for name in sources})
        storage.save_numbers(snakemake.output[0], text, digest=running.digest)
