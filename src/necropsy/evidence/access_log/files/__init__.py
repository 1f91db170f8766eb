"""The files of a log: which belong together, how they are opened, and the lines that are taken out of them."""
