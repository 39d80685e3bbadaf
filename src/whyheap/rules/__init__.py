"""The user's own rules: ast-grep patterns in YAML, joined with what the witnesses say at the lines they match."""
