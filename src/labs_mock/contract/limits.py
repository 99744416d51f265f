"""Numbers of the contract. Each names its clause."""

from typing import TYPE_CHECKING, Literal

BASE_PATH = "/api/v1"  # GEN-1

_NIL_OR_MAX = "00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff"
UUID = (  # DS-5, as a file has it: versions 1 to 8, all zeros or all f
    r"^([0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    rf"|{_NIL_OR_MAX})$"
)
UUID_ON_THE_WIRE = (  # versions 1 to 8 in either case
    r"^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
    rf"|{_NIL_OR_MAX})$"
)

MAX_HEAD = 64 * 1024  # GEN-3, bytes of a request line and its fields
MAX_FIELDS = 100  # GEN-3, of a head

MAX_NESTING = 64  # GEN-6
MAX_MESSAGES = 1_000  # GEN-6
MAX_TOOL_CALLS = 100  # GEN-6, in one message
MAX_ITEMS = 100  # BAT-1
MAX_CONTENT = 10_000  # EP-9, UTF-16 code units
MAX_WINDOWS = 5  # NORM-1
WINDOW_PATTERN = r"^[0-9]+[dwmn]$"  # NORM-1
MAX_WINDOW_DAYS = 366  # NORM-1
MAX_LOG = 10_000  # NORM-1, NORM-2: evaluations a key and scenario
MAX_TURNS = 50  # EP-10
MAX_QUOTE = 80  # ERR-2, characters of input in an error message

EPISODE_LIFETIME = 24 * 60 * 60  # EP-13, seconds without a turn

MAX_POLLS = 10  # of a dataset in a second; more are a finding (section 7)

WINDOW = 60  # RL-2, seconds

PLANS = {"standard": 60, "premium": 300, "enterprise": 1_000_000}  # RL-2, requests a minute
DEFAULT_PLAN = "enterprise"
*_OTHERS, _LAST = PLANS
PLAN_NAMES = f"{', '.join(_OTHERS)} or {_LAST}"
"""The plans as a help text names them."""

if TYPE_CHECKING:
    Plan = str
else:  # a type that pydantic checks, made of the table
    Plan = Literal[tuple(PLANS)]
