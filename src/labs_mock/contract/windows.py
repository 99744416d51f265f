"""Windows of normalisation: how far back earlier rewards count (NORM-1)."""

from typing import Any, NamedTuple

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from labs_mock.contract.limits import MAX_LOG, MAX_WINDOW_DAYS, WINDOW_PATTERN

_DAY = 86_400
_SECONDS = {"d": _DAY, "w": 7 * _DAY, "m": 30 * _DAY}
# 366 days, 52 weeks, 12 months of 30 days, 10,000 evaluations; what is out of range has its own message.
_IN_RANGE = (
    "^0*(([1-9][0-9]?|[12][0-9]{2}|3[0-5][0-9]|36[0-6])d"
    "|([1-9]|[1-4][0-9]|5[0-2])w|([1-9]|1[0-2])m|([1-9][0-9]{0,3}|10000)n)$"
)


class Window(NamedTuple):
    """So many days (`d`), weeks (`w`) or months of 30 days (`m`), or the last so many evaluations (`n`); `text` as it was sent.

    As the type of a model's field it is read from text. Its range is checked after that, by `check_windows`.
    """

    number: int
    unit: str
    text: str

    @classmethod
    def parse(cls, text: str) -> "Window":
        """The window of a text that matches `WINDOW_PATTERN`, such as `7d` or `100n`."""
        return cls(int(text[:-1]), text[-1], text)

    @property
    def most(self) -> int:
        """The largest number that is allowed with its unit."""
        return MAX_LOG if self.unit == "n" else MAX_WINDOW_DAYS * _DAY // _SECONDS[self.unit]

    @property
    def seconds(self) -> int | None:
        """How far back it reaches; None for one of evaluations."""
        return None if self.unit == "n" else self.number * _SECONDS[self.unit]

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(pattern=WINDOW_PATTERN, max_length=10, strict=True)
        return core_schema.no_info_after_validator_function(cls.parse, text)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(core_schema.str_schema(pattern=_IN_RANGE, max_length=10))
