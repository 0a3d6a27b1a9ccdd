"""The terminal board: the same picture of a launch as the mission page's, in a terminal, live.

`model` decides what is shown and `dialogue` what is asked, both without a terminal; `render` writes a board down for a
width and a height; `live` and `terminal` bring it to the screen and take the keys.
"""
