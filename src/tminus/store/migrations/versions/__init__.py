"""Every change to our tables, one file each."""
