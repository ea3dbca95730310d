"""Numbers over time as bars of block characters."""

from __future__ import annotations

from collections.abc import Sequence

EIGHTHS = " ▁▂▃▄▅▆▇█"
_STEPS = len(EIGHTHS) - 1


def resample(values: Sequence[int], columns: int) -> list[int]:
    """Return so many values, the last of each stretch: never one that was not there."""
    return [values[(place + 1) * len(values) // columns - 1] for place in range(columns)]


def bars(values: Sequence[int], *, columns: int, rows: int) -> list[str]:
    """Return lines of a chart, at most ``columns`` wide, with its scale at the left and an axis below.

    It begins at nothing where that is not far away; else it says with its scale where it begins.
    """
    low, high = min(values), max(values)
    bottom = 0 if low * 2 <= high else max(0, low - max(1, (high - low) // 4))
    labels = len(f"{high:,}")
    room = max(1, columns - labels - 2)
    wide = max(1, room // len(values))  # a few days become broad bars
    drawn = resample(values, min(len(values), room))
    wide = min(wide, 6)
    span = max(high - bottom, 1)
    heights = [-(-(value - bottom) * rows * _STEPS // span) for value in drawn]
    lines = []
    for row in range(rows - 1, -1, -1):
        cells = (EIGHTHS[min(max(height - row * _STEPS, 0), _STEPS)] for height in heights)
        label = f"{high:,}" if row == rows - 1 else f"{bottom:,}" if row == 0 else ""
        lines.append(f"{label:>{labels}} ┤{''.join(cell * wide for cell in cells)}".rstrip())
    return [*lines, f"{'':>{labels}} └{'─' * (len(drawn) * wide)}"]


def axis(first: str, last: str, line: str) -> str:
    """Return the line below an axis: its first and its last label, at its ends."""
    start = line.index("└") + 1
    gap = len(line) - start - len(first) - len(last)
    return f"{' ' * start}{first}{' ' * gap}{last}" if gap > 0 else f"{first} – {last}"
