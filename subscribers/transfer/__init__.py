"""The list in files: import of any CSV and of other systems' exports, undo, export.

`importing` is the use case and `exporting` its counterpart. A file goes one way: `opening` (what is it, which
encoding), `table` and `lines` (records with their line numbers), `systems` (which column is what), `rows` (a record
becomes a row or a fault), `staging` (a file of its own, outside the list's write lock), `planning` and `merging`
(a few statements in one transaction). Import sends nothing, and makes nobody active who did not agree.
"""
