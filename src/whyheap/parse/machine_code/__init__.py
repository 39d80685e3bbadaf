"""Machine code: allocator calls per line from linked binaries and from package archives, amd64 and arm64."""
