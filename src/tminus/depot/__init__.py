"""depot, the reference service: a document store that can be told to misbehave.

It is launched by tminus but is no part of it: its files are put into an image, unpacked and run as the
top-level package `depot`. Therefore every import inside is relative and none leads to tminus.
"""
