"""The flows of all heap values as one graph: which one edge keeps each on the heap, and what a cut there would free."""

from whyheap.escape_graph.graph import EscapeGraph
from whyheap.escape_graph.path import path_to_root
from whyheap.escape_graph.roots import Hanging, hang

__all__ = ["EscapeGraph", "Hanging", "hang", "path_to_root"]
