"""Events of Amazon SES that are posted to `newsletter serve`: what is not proven is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.support.serving import SETTINGS, serving
from tests.support.sns import ARN, body


def test_only_the_topic_that_is_set_is_heard(tmp_path: Path) -> None:
    now = datetime.now(UTC).isoformat()
    with serving(tmp_path, settings=f'{SETTINGS}[provider.ses]\ntopic = "{ARN}"\n') as served:
        for posted in (
            b"{}", body("{}", TopicArn=f"{ARN}-of-mine", Timestamp=now), body("{}"),
            body("{}", SigningCertURL="https://evil.example/SimpleNotificationService-0.pem", Timestamp=now),
        ):  # fmt: skip
            answer = served.ask("POST", "/events/ses", posted, {"Content-Type": "text/plain; charset=UTF-8"})
            assert (answer.status, answer.body) == (401, "not proven\n")
        served.get("/health")
    log = "".join(served.log)
    refused = [
        line.partition("events of ses refused: ")[2].strip() for line in served.log if " refused: " in line
    ]
    for words in (
        "is no message of SNS",
        "is of another topic",
        "was published at",
        "names no certificate of SNS",
    ):
        assert any(line.startswith(words) for line in refused), refused
    assert "Traceback" not in log
