"""Small programs that stand in for what other companies run: they take what is sent and tell what came."""
