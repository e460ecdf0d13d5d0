import pytest

from scripts.common import typesetting
from tests.copies import mini_copy, working_in
from tests.test_glue import job, planned

assert typesetting, "imported before the project moves, as it remembers where its templates stand"


@pytest.fixture(scope="module")
def built_here(tmp_path_factory):
    """A copy of the project with every job of the small study run in this process, and its plan; the working directory is there."""
    with working_in(mini_copy(tmp_path_factory.mktemp("built"))) as folder:
        plan = planned()
        for step, name in plan._recipes:
            job(step, name, plan)
        yield folder, plan
