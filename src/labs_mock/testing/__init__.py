"""For tests and scripts: `LabsMock`, a handle on a mock server."""

from labs_mock.testing.handle import ControlError, LabsMock, Recorded, UndecidableError

__all__ = ["ControlError", "LabsMock", "Recorded", "UndecidableError"]
