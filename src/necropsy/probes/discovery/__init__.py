"""Discovery of targets by any mechanism, from the texts that stand for the world it asks."""
