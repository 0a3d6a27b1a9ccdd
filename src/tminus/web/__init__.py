"""The mission page: what the record of a launch and its trace say now, read-only, in a browser on this machine.

`serve` runs it as a process of its own that only reads; nothing here can slow or stop a launch. `reading` does the
I/O, `lines`, `course`, `traffic` and the views decide what is shown, `render` and `live` bring it to the browser.
"""
