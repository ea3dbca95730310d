"""Servers that the tests of SMTP share."""

from __future__ import annotations

from functools import partial

import pytest
import trustme

from tests.providers.authority import Authority
from tests.providers.sinks import MakeSink
from tests.servers.smtp import SmtpSink


@pytest.fixture(params=[False, True], ids=["one by one", "pipelined"])
def make_sink(request: pytest.FixtureRequest) -> MakeSink:
    """Return what makes a server that wants each command by itself, or takes them together: all comes to the same."""
    return partial(SmtpSink, pipelining=request.param)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca = trustme.CA()
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return Authority(ca=ca, file=file)
