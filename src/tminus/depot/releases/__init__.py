"""What distinguishes the releases; an image holds exactly one of these folders."""
