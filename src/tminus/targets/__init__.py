"""Where green runs: one file per target."""
