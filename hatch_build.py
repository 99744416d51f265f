"""Puts the page that shows the API into the wheel: Swagger UI, out of the package that keeps it."""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = ("swagger-ui-bundle.js", "swagger-ui.css", "LICENSE")


class SwaggerUI(BuildHookInterface[Any]):
    """Copies three files beside the code that serves them; git ignores them there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Called before a wheel is built, an editable one too."""
        found = find_spec("swagger_ui")
        assert found is not None
        assert found.origin is not None
        target = Path(self.root) / "src" / "labs_mock" / "http" / "swagger_ui"
        target.mkdir(exist_ok=True)
        for name in FILES:
            shutil.copyfile(Path(found.origin).parent / "static" / name, target / name)
