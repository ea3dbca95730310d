"""What is wrong with a finished letter. The door is `check.py`; `rules.py` has the table of rules."""
