"""Tests of labs-mock. What several of them share has asserts of its own, which pytest shall explain too."""

import pytest

pytest.register_assert_rewrite("tests.support", "tests.pages")
