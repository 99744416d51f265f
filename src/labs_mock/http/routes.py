"""From a method and a path to an operation: exact paths by one look-up, the few others one by one."""

from collections.abc import Iterable

from starlette.routing import compile_path

from labs_mock.contract.operations import OPERATIONS, Operation
from labs_mock.contract.wording import UNKNOWN_PATH
from labs_mock.errors import MethodNotAllowed, NotFound

Methods = dict[str, Operation]


class Routes:
    """Operations as routes (GEN-3)."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        by_path: dict[str, Methods] = {}
        for operation in operations:
            by_path.setdefault(operation.full_path, {})[operation.method] = operation
        self._exact = {path: methods for path, methods in by_path.items() if "{" not in path}
        self._templates = [(compile_path(path)[0], methods) for path, methods in by_path.items() if "{" in path]

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """The operation and the parameters of its path. Raises `NotFound` or `MethodNotAllowed`."""
        parameters: dict[str, str] = {}
        methods = self._exact.get(path)
        if methods is None:
            methods, parameters = self._match(path)
        operation = methods.get(method)
        if operation is None:
            raise MethodNotAllowed(", ".join(sorted(methods)))
        return operation, parameters

    def _match(self, path: str) -> tuple[Methods, dict[str, str]]:
        for pattern, methods in self._templates:
            match = pattern.fullmatch(path)
            if match:
                return methods, match.groupdict()
        raise NotFound(UNKNOWN_PATH)


ROUTES = Routes(OPERATIONS)
"""The table of operations as routes."""
