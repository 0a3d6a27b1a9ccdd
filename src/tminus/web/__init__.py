"""The mission page: what the record of a launch and its trace say now, read-only, in a browser on this machine.

`serve` runs it as a process of its own that only reads; nothing here can slow or stop a launch. What is shown is
decided in `picture`; `render` and `live` bring it to the browser.
"""
