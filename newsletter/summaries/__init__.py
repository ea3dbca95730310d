"""Summarizers: the digest's own sections, an excerpt of the abstract, and a chain of both."""
