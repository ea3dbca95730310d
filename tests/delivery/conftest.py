"""The command, for tests of delivery that go through it."""

from __future__ import annotations

from tests.cli.conftest import command as command
from tests.cli.conftest import readers as readers
