"""The claims of the study "My study": each function decides one statement of the chapter from the numbers of all replicas."""

from scripts.common.findings import Finding, Runs


def my_study_wide_is_better(runs: Runs) -> Finding:
    """The test loss of the wide network after training, relative to that of the narrow one."""
    return runs.ratio(
        runs.values("wide", "test_loss", step="last"),
        runs.values("narrow", "test_loss", step="last"),
        below=1,
        statement="The wide network predicts better than the narrow one.",
        quantity="test loss after training, relative to the narrow network",
        reason="below 1 the wide network is the better one",
    )
