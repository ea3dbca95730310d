"""Small real servers that behave like the outside."""
