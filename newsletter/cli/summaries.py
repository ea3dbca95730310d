"""`newsletter summaries`: how true the summaries are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.shared import Day, json_option, open_app, print_json, print_table, warn
from newsletter.errors import InputError

if TYPE_CHECKING:
    from newsletter.summaries.audit import Audited
    from newsletter.summaries.findings import Finding


@click.group(short_help="Check that summaries are true to their papers.")
def summaries() -> None:
    """Check that summaries are true to their papers: anybody's digest, or what was collected and sent."""


@summaries.command("check", short_help="Check every entry of a digest.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--sources", "paths", multiple=True, type=click.Path(path_type=Path), metavar="PATH",
    help="File with the papers' abstracts (Hugging Face JSON, feed, arXiv answer); repeatable.",
)  # fmt: skip
@json_option
@click.pass_context
def check_(context: click.Context, file: Path, paths: tuple[Path, ...], as_json: bool) -> int:
    """Check every entry of a digest against its paper.

    An error is a reason not to send a summary, a warning one to look. Without a source, what shows by itself is
    checked. The exit code is 1 if an entry has an error.
    """
    with open_app(context):
        from newsletter.app.auditing import audit_file

        audited, warnings = audit_file(file, paths)
    for text in warnings:
        warn(text)
    if as_json:
        print_json(as_object(audited))
    else:
        draw(audited)
    return 1 if any(each.errors for each in audited) else 0


@summaries.command(short_help="Check the summaries of a stored day.")
@click.argument("day", type=Day(), required=False)
@json_option
@click.pass_context
def show(context: click.Context, day: date | None, as_json: bool) -> None:
    """Check the summaries of a stored day: those that came with its papers, and those of its issues."""
    with open_app(context) as app:
        from newsletter.app.auditing import audit_stored

        stored = audit_stored(app, day)
    if not stored:
        subject = {"subject": str(day)} if day else {}
        raise InputError("no summaries are stored", remedy="`newsletter run` makes some", **subject)
    audited = [each for _, each in stored]
    if as_json:
        print_json(as_object(audited))
    else:
        draw(audited)


@summaries.command(short_help="Count the faults of all stored days, by check and month.")
@json_option
@click.pass_context
def report(context: click.Context, as_json: bool) -> None:
    """Count the faults of the summaries of all stored days, by check and month."""
    with open_app(context) as app:
        from newsletter.app.auditing import audit_all_stored

        stored = audit_all_stored(app)
    months = sorted({day.isoformat()[:7] for day, _ in stored})
    entries = Counter(day.isoformat()[:7] for day, _ in stored)
    faults = Counter(
        (*fault, day.isoformat()[:7])
        for day, each in stored
        for fault in {(finding.check.value, finding.severity.value) for finding in each.findings}
    )
    checks = sorted({(severity, name) for name, severity, _ in faults})
    if as_json:
        print_json({
            "months": [
                {
                    "month": month, "entries": entries[month],
                    "checks": [
                        {"check": name, "severity": severity, "entries": faults[name, severity, month]}
                        for severity, name in checks if faults[name, severity, month]
                    ],
                }
                for month in months
            ]
        })  # fmt: skip
        return
    if not stored:
        click.echo("No summaries are stored yet.")
        return
    rows = [("", "entries", *(str(entries[month]) for month in months))]
    rows += [
        (severity, name, *(str(faults[name, severity, month] or "") for month in months))
        for severity, name in checks
    ]
    print_table(("", "check", *months), rows)


def as_object(audited: Sequence[Audited]) -> dict[str, Any]:
    """Return what ``--json`` prints of checked entries."""
    totals = Counter(each.status.value for each in audited)
    failed = Counter(name for each in audited for name in {finding.check.value for finding in each.errors})
    warned = Counter(name for each in audited for name in {finding.check.value for finding in each.warnings})
    return {
        "entries": [
            {
                "id": each.paper.id,
                **({"origin": each.origin.value} if each.origin is not None else {}),
                "status": each.status.value,
                "failed": [_finding(each, finding) for finding in each.errors],
                "warnings": [_finding(each, finding) for finding in each.warnings],
            }
            for each in audited
        ],
        "totals": {
            "entries": len(audited),
            **{status: totals[status] for status in ("ok", "failed", "no-source")},
            "checks": {
                "failed": dict(sorted(failed.items())),
                "warnings": dict(sorted(warned.items())),
            },
        },
    }


def _finding(audited: Audited, finding: Finding) -> dict[str, Any]:
    section = audited.section_of(finding)
    place = None
    if section is not None:
        place = {
            "section": finding.section,
            "heading": section.heading,
            "start": finding.start,
            "end": finding.end,
        }
    return {
        "check": finding.check.value,
        "severity": finding.severity.value,
        "text": finding.text,
        "place": place,
        "why": finding.why,
    }


def draw(audited: Sequence[Audited]) -> None:
    """Print every entry that has a fault, each fault marked in its sentence, and the sums."""
    for each in audited:
        if each.findings:
            origin = f" ({each.origin.value})" if each.origin is not None else ""
            title = " ".join(each.paper.title.split())
            click.echo(f"{_status(each.status.value)} {each.paper.id}{origin}  {title}")
        for findings in _alike(each.findings):
            first = findings[0]
            severity = click.style(first.severity.value, fg="red" if first in each.errors else "yellow")
            click.echo(f"  {severity} {first.check.value}: {first.why}")
            for number, section in enumerate(each.paper.sections):
                for sentence in _marked(section.text, [one for one in findings if one.section == number]):
                    click.echo(f"      {sentence}")
    totals = Counter(each.status.value for each in audited)
    entries = "1 entry" if len(audited) == 1 else f"{len(audited)} entries"
    click.echo(", ".join([entries, *(f"{totals[name]} {name}" for name in ("ok", "failed", "no-source"))]))


def _status(status: str) -> str:
    return click.style(f"{status:9}", fg={"failed": "red", "ok": "green"}.get(status), bold=True)


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Return the findings, those of one check together."""
    together: dict[object, list[Finding]] = {}
    for finding in findings:
        together.setdefault((finding.check, finding.severity, finding.why), []).append(finding)
    return list(together.values())


def _marked(text: str, findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the sentences that have faults, with these marked."""
    from newsletter.summaries.sentences import placed

    begins = [start for start, _ in placed(text)]
    for start, at in zip(begins, [*begins[1:], len(text)], strict=True):
        inside = sorted(
            {
                (max(each.start, start), min(each.end, at))
                for each in findings
                if each.start < at and each.end > start
            }
        )
        if not inside:
            continue
        parts, done = [], start
        for begin, end in inside:
            if begin >= done:
                parts += [text[done:begin], click.style(f"»{text[begin:end]}«", fg="red", bold=True)]
                done = end
        yield " ".join("".join([*parts, text[done:at]]).split())
