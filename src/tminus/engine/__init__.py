"""What survives a crash: durable workflows."""
