"""The values that go from room to room: frozen, keyword-only, without behaviour that needs a room.

Times are aware and in UTC. Text is plain text (never HTML) unless a field says otherwise.
"""
