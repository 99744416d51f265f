"""The types of fields that several lines of a saved session have."""

from typing import Annotated

from pydantic import Field

from labs_mock.clock import END

Count = Annotated[int, Field(ge=0, le=2**53)]
Instant = Annotated[float, Field(ge=-6e10, le=END, allow_inf_nan=False)]
RewardValue = Annotated[float, Field(ge=0, le=1)]
