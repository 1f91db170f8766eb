"""The guard's page: the last verdict, what changed, live figures, and the health of all targets. It only reads."""
