import pytest

from scripts.common.numbers import from_csv
from tests.claims.controls import stored


@pytest.fixture(scope="module")
def table(request):
    """The stored measurements of the study after which the file of tests is named."""
    return from_csv(stored(request.path.stem.removeprefix("test_")).read_text())
