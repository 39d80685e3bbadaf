"""The vocabulary: frozen dataclasses that every room speaks in."""
