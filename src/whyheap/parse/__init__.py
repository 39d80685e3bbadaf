"""Pure: bytes or text in, facts out. One file per format."""
