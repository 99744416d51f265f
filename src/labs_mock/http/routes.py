"""From a method and a path to an endpoint: exact paths by one look-up, the few others one by one."""

from starlette.routing import compile_path

from labs_mock.contract.wording import UNKNOWN_PATH
from labs_mock.errors import MethodNotAllowed, NotFound
from labs_mock.http.endpoints import ENDPOINTS, Endpoint

Methods = dict[str, Endpoint]


class Routes:
    """The table of operations as routes (GEN-3)."""

    def __init__(self) -> None:
        by_path: dict[str, Methods] = {}
        for endpoint in ENDPOINTS:
            by_path.setdefault(endpoint.operation.full_path, {})[endpoint.operation.method] = endpoint
        self._exact = {path: methods for path, methods in by_path.items() if "{" not in path}
        self._templates = [(compile_path(path)[0], methods) for path, methods in by_path.items() if "{" in path]

    def find(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
        """The endpoint and the parameters of its path. Raises `NotFound` or `MethodNotAllowed`."""
        methods, parameters = self._methods(path)
        endpoint = methods.get(method)
        if endpoint is None:
            raise MethodNotAllowed(", ".join(sorted(methods)))
        return endpoint, parameters

    def _methods(self, path: str) -> tuple[Methods, dict[str, str]]:
        methods = self._exact.get(path)
        if methods is not None:
            return methods, {}
        for pattern, methods in self._templates:
            match = pattern.fullmatch(path)
            if match:
                return methods, match.groupdict()
        raise NotFound(UNKNOWN_PATH)
