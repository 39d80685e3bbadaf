"""host + parse -> facts. One file per witness."""
