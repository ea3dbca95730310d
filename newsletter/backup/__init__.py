"""Backups: one file with everything that is needed to go on elsewhere, checked byte by byte, sealed where wanted."""
