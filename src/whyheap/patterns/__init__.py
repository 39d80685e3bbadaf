"""Catalogue 1: why a value is on the heap. One folder per pattern; see catalogue.py for the list and judge.py for the verdict."""
