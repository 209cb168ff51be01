"""What the auditor keeps in a folder of its own: its key, the hashes it has seen, its heads. The center reads none."""
