import pytest

from tests.builds import git


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    (folder / "config").mkdir(parents=True)
    (folder / "config/report.yaml").write_text("title: T\nreplicas: 5\nresults: results\n")
    (folder / "config/quick.yaml").write_text("replicas: 2\nresults: results/quick\n")
    (folder / "Snakefile").write_text('rule all:\n    output:\n        "made"\n    shell:\n        "echo 1 > {output}"\n')
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "First words")
    return folder
