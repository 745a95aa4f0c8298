"""Where evidence is kept for years and nobody can change it: a folder, or an object store with Object Lock."""
