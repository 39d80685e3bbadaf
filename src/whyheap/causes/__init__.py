"""Catalogue 2, why a Go process runs out of memory: one folder per cause, listed in `catalogue.py`."""
