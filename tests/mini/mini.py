"""The claims of the study "A small study"."""

from scripts.common.findings import Finding, Runs


def wide_beats_narrow(runs: Runs) -> Finding:
    """The test loss of the wide network, against the narrow one's."""
    return runs.ratio(
        runs.values("wide", "test_loss", step="last"),
        runs.values("narrow", "test_loss", step="last"),
        below=1,
        statement="The wide network fits better than the narrow one.",
        quantity="test loss after training, relative to the narrow network",
        reason="below 1 the wide network is the better one",
    )
