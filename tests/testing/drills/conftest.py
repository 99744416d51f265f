from pathlib import Path

import pytest

CLIENTS = Path(__file__).parent / "clients"


@pytest.fixture(autouse=True)
def _clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients are modules of their own: as part of the package of the tests each process would have to import pytest."""
    monkeypatch.syspath_prepend(str(CLIENTS))
