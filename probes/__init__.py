"""Questions put to the world, one per function: each answers with observations and never raises for a bad world."""
