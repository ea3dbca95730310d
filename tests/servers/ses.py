"""A server of Amazon SES's API v2 (SendEmail) on loopback, over TLS, that checks signatures itself and misbehaves when told.

::

    with SesServer(faults=[Fault(status=429, error="TooManyRequestsException")]) as ses:
        ...  # post to ses.url, trusting ses.ca_file
        ses.taken  # what was taken, in order
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

from tests.servers.threaded import Threaded

PATH = "/v2/email/outbound-emails"
REGION, KEY_ID, SECRET = "eu-west-1", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>\w+)/(?P<scope>\d{8}/[\w-]+/ses/aws4_request), "
    r"SignedHeaders=(?P<headers>[\w;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How a request is answered instead of taken; for one ``recipient`` or any, ``times`` over, after ``skip`` others.

    With ``taken`` it is taken all the same. With ``drops`` the connection ends without an answer, with ``cut`` in the
    middle of one. ``raw`` is a body that is not SES's. ``delay`` in seconds.
    """

    status: int = 200
    error: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    recipient: str = ""
    times: int = 1_000_000
    skip: int = 0
    taken: bool = False
    drops: bool = False
    cut: bool = False
    raw: bytes | None = None
    delay: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A message that was taken. ``data`` are its octets."""

    recipient: str
    sender: str
    data: bytes
    tags: Mapping[str, str]
    configuration_set: str
    message_id: str


class SesServer(Threaded):
    """Listens; a context manager. ``ca_file`` is what its certificate is trusted by."""

    def __init__(self, folder: Path, *, faults: Sequence[Fault] = (), delay: float = 0.0) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "ses-ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self.faults, self.delay = list(faults), delay
        self.taken: list[Taken] = []
        self.requests = 0
        self.connections = 0
        self.lock = threading.Lock()
        self._met: dict[int, int] = {}
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._server.context = context
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"

    def fault_for(self, recipient: str) -> Fault | None:
        """Return what is wrong with this request, and count it."""
        with self.lock:
            self.requests += 1
            for number, fault in enumerate(self.faults):
                if fault.recipient not in {"", recipient}:
                    continue
                met = self._met[number] = self._met.get(number, 0) + 1
                if fault.skip < met <= fault.skip + fault.times:
                    return fault
        return None

    def take(self, asked: Mapping[str, Any]) -> str:
        """Take a message; return its id."""
        with self.lock:
            message_id = f"0102{len(self.taken):012x}-test-000000"
            self.taken.append(
                Taken(
                    recipient=asked["Destination"]["ToAddresses"][0], sender=asked["FromEmailAddress"],
                    data=base64.b64decode(asked["Content"]["Raw"]["Data"], validate=True),
                    tags={tag["Name"]: tag["Value"] for tag in asked["EmailTags"]},
                    configuration_set=asked.get("ConfigurationSetName", ""), message_id=message_id,
                )
            )  # fmt: skip
        return message_id


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        with self.context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients are killed, and do not trust."""


def _handler(ses: SesServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            with ses.lock:
                ses.connections += 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told = unsigned(self.command, self.path, dict(self.headers.items()), body)
            if told:
                self._answer(403, {"message": told}, {"x-amzn-ErrorType": "SignatureDoesNotMatchException"})
                return
            asked = json.loads(body)
            wrong = invalid(asked)
            if self.path != PATH or wrong:
                self._answer(
                    400, {"message": wrong or "no such path"}, {"x-amzn-ErrorType": "BadRequestException"}
                )
                return
            fault = ses.fault_for(asked["Destination"]["ToAddresses"][0])
            time.sleep(ses.delay)
            if fault is None:
                self._answer(200, {"MessageId": ses.take(asked)}, {})
            else:
                self._misbehave(fault, asked)

        def _misbehave(self, fault: Fault, asked: Mapping[str, Any]) -> None:
            if fault.taken:
                ses.take(asked)
            time.sleep(fault.delay)
            if fault.drops:
                self.close_connection = True
            elif fault.cut:
                self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{"Mess')
                self.close_connection = True
            else:
                names = (
                    {"x-amzn-ErrorType": f"{fault.error}:http://internal.amazon.com/"} if fault.error else {}
                )
                self._answer(
                    fault.status, fault.raw or {"message": fault.message}, {**names, **fault.headers}
                )

        def _answer(self, status: int, body: Mapping[str, str] | bytes, headers: Mapping[str, str]) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    return Handler


def invalid(asked: Mapping[str, Any]) -> str:
    """Return what SES would find wrong in a request, empty for nothing."""
    (address,) = asked["Destination"]["ToAddresses"]
    if not re.fullmatch(r"[!-?A-~]+@[A-Za-z0-9.-]+", address):
        return "Illegal address"
    if not all(_TAG.fullmatch(tag[part]) for tag in asked["EmailTags"] for part in ("Name", "Value")):
        return "The message tag is invalid"
    return ""


def unsigned(method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
    """Say why a request is not signed (Signature Version 4), empty where it is; from the secret, step by step."""
    given = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    found = _AUTHORIZATION.fullmatch(given.get("authorization", ""))
    if found is None or found["key"] != KEY_ID:
        return "The security token included in the request is invalid"
    at = datetime.strptime(given["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if abs((datetime.now(UTC) - at).total_seconds()) > 300:
        return "Signature expired"
    names = found["headers"].split(";")
    if not {"host", "x-amz-date"} <= set(names):
        return "'Host' must be a 'SignedHeader' in the AWS Authorization"
    lines = [f"{name}:{given[name]}" for name in names]
    canonical = "\n".join([method, path, "", *lines, "", found["headers"], hashlib.sha256(body).hexdigest()])
    to_sign = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            given["x-amz-date"],
            found["scope"],
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    key = f"AWS4{SECRET}".encode()
    for word in (*f"{at:%Y%m%d}/{REGION}/ses/aws4_request".split("/"), to_sign):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(key.hex(), found["signature"]):
        return "The request signature we calculated does not match the signature you provided."
    return ""
