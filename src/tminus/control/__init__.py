"""What happens: one file per act, over the ports, knowing only the domain."""
