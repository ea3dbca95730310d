"""Tools that work on the checkout; none of them is in the wheel."""
