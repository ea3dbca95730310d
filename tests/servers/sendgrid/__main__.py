"""The server as a process: prints its address as first line and runs until it is ended."""

from __future__ import annotations

import argparse
import json
import signal
import ssl
from pathlib import Path

import trustme

from tests.servers.sendgrid.events import Fate, Webhook
from tests.servers.sendgrid.faults import Script, read_faults, seeded
from tests.servers.sendgrid.server import KEY, SendGridApi


def main() -> None:
    """Serve."""
    options = _options()
    limit, _, seconds = options.rate.partition("/")
    api = SendGridApi(
        key=options.key,
        certificate=None if options.tls is None else _certificate(options.tls),
        faults=_faults(options),
        rate=(int(limit), float(seconds)) if options.rate else None,
        delay=options.delay,
        checked=not options.unchecked,
        keep=False,
        webhook=_webhook(options),
        port=options.port,
    )
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with api:
            print(api.url, flush=True)
            signal.pause()
    except KeyboardInterrupt:
        pass


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.servers.sendgrid", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", default=KEY)
    parser.add_argument("--tls", type=Path, metavar="CA-FILE", help="speak TLS; the file is written")
    parser.add_argument("--unchecked", action="store_true", help="take any body unread")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="before each answer")
    parser.add_argument("--rate", default="", metavar="CALLS/SECONDS")
    parser.add_argument(
        "--faults", type=Path, metavar="FILE", help="a JSON list: a fault's fields, or null, a call"
    )
    parser.add_argument(
        "--share", type=float, default=0.0, help="the share of calls that meet a seeded fault"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slow", type=float, default=2.0, metavar="SECONDS", help="of a late answer")
    parser.add_argument("--events", metavar="URL", help="post events there")
    parser.add_argument(
        "--fates", type=Path, metavar="FILE", help="a JSON object: what becomes of an address's mail"
    )
    parser.add_argument("--late", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--shuffled", action="store_true")
    parser.add_argument("--retries", type=int, default=100, help="of a post that is not answered with 2xx")
    parser.add_argument("--never", action="store_true")
    return parser.parse_args()


def _certificate(ca_file: Path) -> ssl.SSLContext:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(SendGridApi.host).configure_cert(context)
    authority.cert_pem.write_to_path(str(ca_file))
    return context


def _faults(options: argparse.Namespace) -> Script:
    if options.faults is not None:
        return read_faults(json.loads(options.faults.read_text()))
    return seeded(options.seed, options.share, delay=options.slow) if options.share else ()


def _webhook(options: argparse.Namespace) -> Webhook | None:
    if options.events is None:
        return None
    fates = {} if options.fates is None else json.loads(options.fates.read_text())
    return Webhook(
        url=options.events,
        fate=lambda address: Fate[fates.get(address, Fate.DELIVERED.name)],
        late=options.late,
        copies=options.copies,
        shuffled=options.shuffled,
        retries=options.retries,
        never=options.never,
        seed=options.seed,
    )


if __name__ == "__main__":
    main()
