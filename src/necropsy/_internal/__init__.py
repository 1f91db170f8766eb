"""What the code needs and no user knows: the lowest layer, standard library only."""
