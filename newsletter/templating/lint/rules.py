"""The rules that a finished letter is held to: their names, how much each weighs, and why it is there."""

from __future__ import annotations

from enum import Enum

from newsletter.templating.lint.findings import Finding, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING


class Rule(Enum):
    """A rule of the lint: its stable name, its severity, and one sentence of reason."""

    # fmt: off
    UNSAFE_LINK = "unsafe-link", _ERROR, "a reader must be able to trust every link: http, https and mailto only"
    UNSAFE_IMAGE = "unsafe-image", _ERROR, "mail clients load pictures from a full http or https address only"
    ACTIVE_CONTENT = "active-content", _ERROR, "mail clients remove it, and filters take such mail for an attack"
    NO_UNSUBSCRIBE = "no-unsubscribe", _ERROR, "law and mailbox providers ask that each part says how to leave"
    NO_LIST_UNSUBSCRIBE = (
        "no-list-unsubscribe", _ERROR, "without the header there is no button to leave, and mail is taken for spam",
    )
    NO_ONE_CLICK = (
        "no-one-click", _ERROR, "mailbox providers ask bulk senders for leaving by one click (RFC 8058)",
    )
    LEFT_OVER_TAG = "left-over-tag", _ERROR, "no mail client knows MJML: what stands in it is shown as it comes"
    LEFT_OVER_PLACEHOLDER = (
        "left-over-placeholder", _ERROR, "nobody fills it: readers would get a hole or a link that leads nowhere",
    )
    EMPTY_TEXT = "empty-text", _ERROR, "some people read plain text, and filters distrust mail without it"
    HTML_WEIGHT = "html-weight", _ERROR, "Gmail cuts a letter at about 102 KB, and the way to leave with it"
    UNREADABLE_HTML = "unreadable-html", _ERROR, "what cannot be read cannot be checked, and looks different everywhere"
    HEADER_INJECTION = (
        "header-injection", _ERROR, "a line end or a second header adds readers or content that nobody meant",
    )
    NO_POSTAL_ADDRESS = "no-postal-address", _ERROR, "mail law asks for the sender's postal address"

    EMPTY_LINK_TEXT = "empty-link-text", _WARNING, "a screen reader reads out the address instead"
    DUPLICATE_LINK_TEXT = (
        "duplicate-link-text", _WARNING, "in a list of links, and under one heading, nobody can tell them apart",
    )
    MISSING_ALT = "missing-alt", _WARNING, "with pictures blocked, and for screen readers, it is all that is left"
    FIXED_WIDTH = "fixed-width", _WARNING, "wider than 640 pixels is scrolled sideways, or shrunk until it is illegible"
    IMAGE_WIDTH = "image-width", _WARNING, "Outlook draws a picture without a width or height as large as its file is"
    SUBJECT_LENGTH = "subject-length", _WARNING, "an inbox shows 20 to 70 characters well"
    PREHEADER = "preheader", _WARNING, "an inbox shows it beside the subject; without one it shows whatever comes first"
    CONTRAST = "contrast", _WARNING, "WCAG asks for 4.5, and for 3 where text is large"
    INSECURE_IMAGE = "insecure-image", _WARNING, "many clients do not load it, and everybody on the way sees who reads"
    MISSING_LANG = "missing-lang", _WARNING, "without it a screen reader speaks the letter in the wrong language"
    # fmt: on

    def __init__(self, label: str, severity: Severity, why: str) -> None:
        self.label = label
        self.severity = severity
        self.why = why

    def finding(self, what: str, where: str) -> Finding:
        """Return a finding of this rule."""
        return Finding(rule=self.label, severity=self.severity, what=what, where=where, why=self.why)
