"""By what people are told: one file for each system, an adapter of `control.ports.Notifier` each.

A message counts as taken only by the system's own word. No error repeats a login or a webhook: both are secrets.
"""
