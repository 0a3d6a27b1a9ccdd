"""What a launch looks like at one moment, read from its record and its trace; the page and the terminal show it.

`reading` does the I/O; `course`, `lines`, `traffic` and the views decide what is shown, `view` puts it together.
Nothing here knows how a picture is brought to people, and nothing can slow or stop a launch.
"""
