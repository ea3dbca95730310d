"""The list: who asked for which edition, who left, and who must never be written to.

An island: it knows no newsletter, no command line and no web. It works inside the transaction of the
SQLAlchemy connection it is given and never commits. Its doors: `subscribers.subscriptions` (the use cases),
`subscribers.store` (`metadata` for migrations, `deliverable` for whoever sends), `subscribers.addresses`,
`subscribers.models` and `subscribers.errors`. Importing the package alone costs nothing.
"""
