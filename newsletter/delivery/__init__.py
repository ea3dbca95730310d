"""Delivery: rows and states (`ledger`), the loop that sends (`sender`), links and names (`recipients`)."""
