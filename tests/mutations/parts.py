"""The claims of the study "A study of many parts"."""

from scripts.common.findings import Finding, Runs


def adam_beats_descent(runs: Runs) -> Finding:
    """The test loss after training with Adam, against that with gradient descent."""
    return runs.ratio(
        runs.values("he", "test_loss", step="last"),
        runs.values("plain", "test_loss", step="last"),
        below=1,
        statement="Adam fits better than gradient descent.",
        quantity="test loss after training, relative to gradient descent",
        reason="below 1 Adam is the better one",
    )
