"""What survives a crash: durable workflows, and who runs them."""
