"""Catalogue 1: why a value is on the heap. One folder per pattern; catalogue.py lists them, judge.py applies them."""
