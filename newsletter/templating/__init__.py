"""Turns an issue into a letter: HTML by way of MJML, plain text, and Markdown. The door is `issue.py`."""
