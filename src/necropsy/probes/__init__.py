"""From configuration to the exact requests that monitoring sends. Pure."""
