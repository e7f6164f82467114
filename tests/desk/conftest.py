from collections.abc import Iterator

import pytest
from support.newsdesk import Newsdesk


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsdesk]:
    """A newsroom whose relay runs and to which ada and bea have joined."""
    newsdesk = Newsdesk(tmp_path_factory.mktemp("newsdesk"))
    newsdesk.start()
    try:
        for name in newsdesk.journalists:
            assert newsdesk.join(name).status == 0
        yield newsdesk
    finally:
        newsdesk.stop()


@pytest.fixture
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Newsdesk:
    """A newsroom without a relay, to which nobody has joined."""
    return Newsdesk(tmp_path_factory.mktemp("newsdesk"))
