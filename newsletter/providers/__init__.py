"""Adapters that hand messages over for delivery, each with the shape of `newsletter.protocols.Provider`."""
