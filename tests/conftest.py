"""What holds for every test."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]  # xdist ships no types

settings.register_profile("rightful", deadline=None)
"""A loaded machine is slow now and then; no test fails by the clock."""
settings.load_profile("rightful")


SHARED = ("tests/e2e/", "tests/web/")
"""Folders whose tests share something that takes long to start."""


class OneStack(LoadGroupScheduling):  # type: ignore[misc]  # of untyped xdist
    """Hands tests out one by one, but all that share the running stack to one worker, and all that share a browser.
    (The mark `xdist_group` has no effect: it is written to an attribute that pytest no longer reads.)"""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in SHARED if nodeid.startswith(folder)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneStack | None:
    """For `--dist loadgroup`, as `make test` says."""
    return OneStack(config, log) if config.getvalue("dist") == "loadgroup" else None
