"""The metadata of all rooms that hold SQL, for comparing the schema with its history."""

from __future__ import annotations

import newsletter.delivery.tables
import newsletter.store.tables
import subscribers.schema

TABLES = [subscribers.schema.metadata, newsletter.store.tables.metadata, newsletter.delivery.tables.metadata]
