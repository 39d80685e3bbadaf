"""The version, where every layer may import it from."""

VERSION = "0.1.0"
