"""The outbox holds every delivery once, whatever was killed or moved in between."""

from __future__ import annotations

import errno
import mailbox
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.errors import ProviderUnavailable
from newsletter.messages import compose
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.protocols import Exposure
from newsletter.providers.outbox import OutboxProvider
from tests.providers.letters import LETTER, recipient, recipients
from tests.support.unprivileged import ordinary_user, public_folder


def send(path: Path, readers: list[Recipient]) -> list[Receipt]:
    with OutboxProvider(path).connect() as connection:
        return list(connection.send(LETTER, readers))


def files(path: Path) -> list[str]:
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


def test_any_mail_client_opens_it(tmp_path: Path) -> None:
    send(tmp_path / "deep" / "outbox", recipients(3))
    box = mailbox.Maildir(tmp_path / "deep" / "outbox", create=False)
    assert sorted(message["To"] for message in box) == [
        "Reader 1 <reader1@example.org>",
        "Reader 2 <reader2@example.org>",
        "Reader 3 <reader3@example.org>",
    ]


def test_a_file_is_named_for_its_delivery_and_private(tmp_path: Path) -> None:
    (receipt,) = send(tmp_path, [recipient(7)])
    assert files(tmp_path) == ["new/daily.20240912.7"]
    assert receipt == Receipt(
        subscriber_id=7,
        outcome=Outcome.ACCEPTED,
        reply="written to the outbox",
        provider_id="daily.20240912.7",
    )
    assert (tmp_path / "new" / "daily.20240912.7").stat().st_mode & 0o077 == 0
    assert OutboxProvider(tmp_path).exposure is Exposure.NONE


def test_a_delivery_is_written_once(tmp_path: Path) -> None:
    send(tmp_path, recipients(2))
    before = (tmp_path / "new" / "daily.20240912.1").stat()
    again = send(tmp_path, recipients(3))
    assert [receipt.outcome for receipt in again] == [Outcome.ACCEPTED] * 3
    assert [receipt.reply for receipt in again] == [
        "already in the outbox",
        "already in the outbox",
        "written to the outbox",
    ]
    assert len(files(tmp_path)) == 3
    assert (tmp_path / "new" / "daily.20240912.1").stat().st_mtime_ns == before.st_mtime_ns


def test_what_a_mail_client_has_read_is_not_written_again(tmp_path: Path) -> None:
    send(tmp_path, recipients(1))
    (tmp_path / "new" / "daily.20240912.1").rename(tmp_path / "cur" / "daily.20240912.1:2,RS")
    (receipt,) = send(tmp_path, recipients(1))
    assert receipt.reply == "already in the outbox"
    assert files(tmp_path) == ["cur/daily.20240912.1:2,RS"]


def test_what_a_mail_client_moves_while_sending_is_not_written_again(tmp_path: Path) -> None:
    send(tmp_path, recipients(1))
    with OutboxProvider(tmp_path).connect() as connection:
        (tmp_path / "new" / "daily.20240912.1").rename(tmp_path / "cur" / "daily.20240912.1:2,S")
        assert [receipt.reply for receipt in connection.send(LETTER, recipients(1))] == [
            "already in the outbox"
        ]
    assert files(tmp_path) == ["cur/daily.20240912.1:2,S"]


@pytest.mark.parametrize(
    "delivery_id", ["../../etc/passwd", ".hidden", "a:2,S", "a/b", "논문", "a%2Fb", "..", " "]
)
def test_a_delivery_id_never_leaves_the_folder(tmp_path: Path, delivery_id: str) -> None:
    outbox = tmp_path / "outbox"
    odd = recipient(1)._replace(delivery_id=delivery_id)
    send(outbox, [odd, recipient(2)])
    assert len(files(tmp_path)) == len(list((outbox / "new").iterdir())) == 2
    assert not any(file.name.startswith(".") or ":" in file.name for file in (outbox / "new").iterdir())
    assert send(outbox, [odd])[0].reply == "already in the outbox"


def test_different_ids_are_different_files(tmp_path: Path) -> None:
    ids = ["a/b", "a%2Fb", "a:b", "a_b", ".a", "%2Ea", "A/B"]
    send(tmp_path, [recipient(1)._replace(delivery_id=delivery_id) for delivery_id in ids])
    assert len(files(tmp_path)) == len(ids)


def test_a_process_killed_between_tmp_and_new_leaves_one_copy_after_the_next_run(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from newsletter.providers.outbox import OutboxProvider
from tests.providers.letters import LETTER, recipients
rename = Path.rename
def killed(self, target):
    if target.name.endswith(".2"):
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)
Path.rename = killed
with OutboxProvider(Path(sys.argv[1])).connect() as connection:
    list(connection.send(LETTER, recipients(3)))
"""
    checkout = Path(__file__).resolve().parents[2]
    dead = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=checkout, check=False)
    assert dead.returncode == -signal.SIGKILL
    assert [name.split("/")[0] for name in files(tmp_path)] == ["new", "tmp"]

    send(tmp_path, recipients(3))
    for reader in recipients(3):
        assert (tmp_path / "new" / reader.delivery_id).read_bytes() == compose(LETTER, reader)
    assert len(list((tmp_path / "new").iterdir())) == 3


def test_only_our_own_old_leftovers_are_removed(tmp_path: Path) -> None:
    send(tmp_path, [])
    for name in ("old.part", "fresh.part", "somebody-elses"):
        (tmp_path / "tmp" / name).write_text("half a message")
    now = 1_726_200_000.0
    for name, hours in (("old.part", 37), ("fresh.part", 35), ("somebody-elses", 99)):
        os.utime(tmp_path / "tmp" / name, (now - hours * 3600,) * 2)
    with OutboxProvider(tmp_path, clock=lambda: now).connect():
        pass
    assert files(tmp_path) == ["tmp/fresh.part", "tmp/somebody-elses"]


@pytest.mark.parametrize("below", [".", "outbox"])
def test_an_outbox_that_is_a_file_cannot_be_opened(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    path = tmp_path / "file" / below
    with pytest.raises(ProviderUnavailable) as caught:
        OutboxProvider(path).connect()
    assert str(path) in str(caught.value)
    assert "provider.outbox.path" in str(caught.value)
    assert (tmp_path / "file").read_text() == "not a folder"


def test_a_folder_without_permission_takes_nothing() -> None:
    with public_folder() as folder:
        send(folder, [])
        for name in ("tmp", "new", "cur"):
            (folder / name).chmod(0o555)
        with ordinary_user(), pytest.raises(ProviderUnavailable, match=r"cannot be written|not writable"):
            send(folder, recipients(1))
        assert list((folder / "new").iterdir()) == []


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with OutboxProvider(tmp_path).connect() as connection:
        receipts = connection.send(LETTER, recipients(2))
        next(receipts)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(ProviderUnavailable, match=r"No space left on device.*free space"):
                next(receipts)
    assert files(tmp_path) == ["new/daily.20240912.1"]
    assert [receipt.outcome for receipt in send(tmp_path, recipients(2))] == [Outcome.ACCEPTED] * 2
    assert len(files(tmp_path)) == 2


def test_an_outbox_that_vanishes_while_sending_is_unavailable(tmp_path: Path) -> None:
    with OutboxProvider(tmp_path).connect() as connection:
        (tmp_path / "tmp").rmdir()
        with pytest.raises(ProviderUnavailable, match="outbox cannot be written"):
            list(connection.send(LETTER, recipients(1)))
