"""Proves the escape graph: cuts the edge of a root in an overlay, compiles, and looks what has left the heap."""
