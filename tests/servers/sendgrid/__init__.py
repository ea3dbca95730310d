"""A real local server that behaves like SendGrid's v3 API, faults included.

::

    with SendGridApi(faults=[Fault(status=503), Fault(cut=Cut.AFTER, taken=True)]) as api:
        ...  # post to api.url
        api.delivered  # one mail a recipient
"""

from tests.servers.sendgrid.events import Fate, Webhook
from tests.servers.sendgrid.faults import Cut, Fault, proxy_error, seeded
from tests.servers.sendgrid.mail import Delivered
from tests.servers.sendgrid.server import SendGridApi

__all__ = ["Cut", "Delivered", "Fate", "Fault", "SendGridApi", "Webhook", "proxy_error", "seeded"]
