"""The stage of `tminus demo`: real parts on one machine, in one folder."""
