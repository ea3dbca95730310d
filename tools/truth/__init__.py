"""How far the checks of summaries can be trusted, and the excerpts: measured on true pairs and injected faults."""
