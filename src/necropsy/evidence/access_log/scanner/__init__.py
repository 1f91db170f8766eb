"""The scanner: well-formed lines of flat layouts become numbers, on all cores at once."""
