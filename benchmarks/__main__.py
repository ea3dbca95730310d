"""Runs every benchmark and prints its ratio beside the bound that it is held to."""

from __future__ import annotations

from benchmarks import (
    events,
    figures,
    history,
    ledger,
    messages,
    oneclick,
    ranking,
    reading,
    rendering,
    sendgrid_rate,
    smtp_rate,
    startup,
    summaries,
    transfer,
)

if __name__ == "__main__":
    for line in (
        *startup.measure(),
        *rendering.measure(),
        reading.measure(),
        ranking.measure(),
        history.measure(),
        oneclick.measure(),
        *smtp_rate.measure(),
        *sendgrid_rate.measure(),
        *ledger.measure(),
        *events.measure(),
        *figures.measure(),
        *messages.measure(),
        *summaries.measure(),
        *transfer.measure(),
    ):
        print(line)
