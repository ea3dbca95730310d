"""`newsletter serve`: what keeps it from starting. The pages are tested in tests/web."""

from __future__ import annotations

import socket

from tests.cli.command import Command, assert_complains


def test_a_port_that_is_taken_is_told(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_complains(command("serve", "--port", str(port)), f"port {port} of 127.0.0.1", "--port")
    assert_complains(
        command("serve", "--host", "no.such.host.invalid", "--port", "0"), "no.such.host.invalid"
    )
    assert_complains(command("serve", "--port", "99999"), "99999")


def test_settings_that_cannot_be_used_are_told(command: Command) -> None:
    proxies = {"NEWSLETTER_WEB__TRUSTED_PROXIES": "10.0.0.0/8, nonsense"}
    assert_complains(
        command("serve", "--port", "0", env=proxies), "'nonsense' is no network", "trusted_proxies"
    )
    url = {"NEWSLETTER_WEB__PUBLIC_URL": "http://news.example.org"}
    assert_complains(command("serve", "--port", "0", env=url), "web.public_url")
