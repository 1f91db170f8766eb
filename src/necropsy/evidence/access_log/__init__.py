"""Access logs: any layout in; visits, visitor classes and their rhythms out."""
