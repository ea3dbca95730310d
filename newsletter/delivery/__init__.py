"""Delivery: rows and states (`ledger`), rounds of a send (`sender`), its threads (`carrier`), links (`recipients`)."""
