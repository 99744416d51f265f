import pytest

from labs_mock.config.library import Library
from labs_mock.config.server_file import FullServerFile
from labs_mock.errors import SettingsError
from labs_mock.serving.own_namespace import own_namespace, with_access
from labs_mock.serving.worlds import world_parts
from labs_mock.testing import LabsMock

ADDRESS = "redis://localhost:6379/0"


def test_the_state_is_in_memory_whatever_the_file_and_the_environment_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tests do stays among them, unless they name a store themselves; the environment says how to reach that."""
    monkeypatch.setenv("LABS_MOCK_STATE", ADDRESS)
    monkeypatch.setenv("LABS_MOCK_STATE_PASSWORD", "secret")
    monkeypatch.setenv("LABS_MOCK_STATE_CA", "ca.pem")
    monkeypatch.setenv("LABS_MOCK_NOTHING", "1")
    library = Library(
        {}, server=FullServerFile.model_validate({"state": ADDRESS, "workers": 4, "state_name": "theirs"})
    )
    parts = world_parts(library, with_access({}), namespace="own")
    assert (parts.settings.state, parts.settings.workers, parts.settings.state_password) == ("", 1, "")
    parts = world_parts(library, with_access({"state": "unix:///s"}), namespace="own")
    settings = parts.settings
    assert (settings.state, settings.state_name, settings.state_lifetime) == ("unix:///s", "own", 3_600)
    assert (settings.state_password, settings.state_ca, parts.temporary) == ("secret", "ca.pem", True)
    parts = world_parts(library, with_access({"state": ADDRESS, "state_ca": "mine", "state_lifetime": 60}))
    assert (parts.settings.state_ca, parts.settings.state_lifetime, parts.temporary) == ("mine", 60, False)
    assert parts.settings.state_name == "theirs"


def test_every_own_namespace_is_another_one() -> None:
    """It begins with the name that the settings have."""
    names = {own_namespace({}, "gw0") for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith("labs-mock-gw0-") for name in names)
    assert own_namespace({"state_name": "mine"}).startswith("mine-")


def test_a_server_in_a_thread_is_one_process() -> None:
    """It says how to get several."""
    with pytest.raises(SettingsError, match=r"^workers: .*; write LabsMock\(process=True, …\)$"):
        LabsMock(workers=2, state=ADDRESS).start()
