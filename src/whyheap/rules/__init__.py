"""The user's own rules: ast-grep patterns joined with the witnesses."""
