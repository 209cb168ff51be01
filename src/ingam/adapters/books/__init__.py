"""The authority's books in one SQLite file, which every process of the machine opens."""
