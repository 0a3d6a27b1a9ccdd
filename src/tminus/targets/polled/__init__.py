"""The trace of one launch where a service counts its requests for Prometheus, and no proxy tells us of each.

What was scraped is fetched every second, and becomes single requests (`domain/counted.py`). It comes as late as the
service is scraped: `PolledTrace.delay` says how late. These are the limits:

- Nobody knows when in a scrape's interval a request ended, nor which of its requests were slow. A disturbance of both
  sides that is shorter than the interval may seem to be of one side first.
- What a pod has counted since its last scrape is lost when it ends.
- A counter that existed before it was scraped for the first time counts from 0: its whole value is taken for new.
- Clients are unknown, so that a storm of one client's retries counts in full.
"""

from .selectors import Counted
from .trace import POLL_SECONDS, PolledTrace

__all__ = ["POLL_SECONDS", "Counted", "PolledTrace"]
