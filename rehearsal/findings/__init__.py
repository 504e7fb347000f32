"""What a rehearsal shows, one function per sentence of the features: pure, from a Result to observations."""
