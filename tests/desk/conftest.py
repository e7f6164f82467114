from collections.abc import Iterator

import pytest
from support.newsdesk import Newsdesk, joined


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsdesk]:
    """A newsroom whose relay runs and to which ada and bea have joined."""
    with joined(tmp_path_factory.mktemp("newsdesk")) as newsdesk:
        yield newsdesk


@pytest.fixture
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Newsdesk:
    """A newsroom without a relay, to which nobody has joined."""
    return Newsdesk(tmp_path_factory.mktemp("newsdesk"))
