"""The folders below which package patterns look, whether a build has packages there or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from whyheap.collect.compiler import ScanOptions
from whyheap.collect.unchanged import is_path

_BELOW = "/..."


def matched_folders(options: ScanOptions) -> Iterator[Path]:
    """Yield the folders that patterns like ./... and ./pkg/... look into, in no order.

    As go's own walk does, folders named vendor, testdata, or with a dot or underscore in front, and other modules are
    left out (cmd/go/internal/modload/search.go, matchPackages, Go 1.27).
    """
    for pattern in options.patterns:
        if not is_path(pattern) or not pattern.endswith(_BELOW):
            continue
        top = os.path.normpath(options.folder / pattern.removesuffix(_BELOW))
        for name, below, files in os.walk(top):
            if name != top and "go.mod" in files:
                below.clear()
                continue
            below[:] = [one for one in below if one[0] not in "._" and one not in {"vendor", "testdata"}]
            yield Path(name)
