"""What each kind of fault does: the functions by the names of the fields that are marked `Kind` in `config.fault_entry`.

`status` and `delay` have no entry here, since other fields stand beside them; `applying` applies them itself.
"""

from collections.abc import Callable
from typing import Any

from labs_mock.http.faults import changes, lines
from labs_mock.http.faults.response import Break, FaultyResponse
from labs_mock.http.faults.results import Changes

RESULT_FAULTS: dict[str, Callable[[Changes, Any], None]] = {
    "fail_item": Changes.fail_item,
    "drop_result": Changes.drop_result,
    "reverse_results": Changes.reverse_results,
}
"""Changes of the results of a batch; each function gets the value that the fault has for its kind."""

RESPONSE_FAULTS: dict[str, Callable[[FaultyResponse, Any], None]] = {
    "nan_reward": changes.nan_reward,
    "body": changes.other_body,
    "garbage": changes.garbage,
    "content_type": changes.content_type,
    "row_count": changes.row_count,
    "duplicate_line": lines.duplicate_line,
    "swap_lines": lines.swap_lines,
    "error_line": lines.error_line,
    "cut_after_line": lines.cut_after_line,
    "cut_in_line": lines.cut_in_line,
    "stall_after_line": lines.stall_after_line,
    "cut": changes.breaks(Break.CLOSE),
    "reset": changes.breaks(Break.RESET),
    "stall": changes.breaks(Break.STALL),
    "close": changes.breaks(Break.CLOSE),
}
"""Changes of a response on its way, in the order in which they are applied, whichever fault stands first in the plan."""
