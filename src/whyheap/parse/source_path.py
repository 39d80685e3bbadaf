"""How a source file is spelled in all outputs, whatever spelling the compiler, a profile or a binary used.

Relative to the main module's root (in a workspace: to go.work's folder) with forward slashes; outside it as with
-trimpath: `net/http/server.go`, `example.com/mod@v1.2.3/x.go`.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field

_UPPER = re.compile(r"!([a-z])")
_MODCACHE = re.compile(r"^.*?/pkg/mod/(?=[^/]+\.[^/]+/|[^/]+@)")
# go, go1.27.3, Debian's go-1.22, Fedora's golang, Homebrew's libexec
_GOROOT_SRC = re.compile(r"^.*/(?:go(?:-?[0-9][0-9.a-z]*)?|golang|libexec)/src/(?=[a-z])")
_TOOLCHAIN = re.compile(r"^golang\.org/toolchain@[^/]+/src/")  # what GOTOOLCHAIN downloads stands in the module cache


@dataclass(slots=True)
class SourceNames:
    """Spells files for one build.

    `root` is the main module's folder (in a workspace: go.work's), `goroot` the toolchain's root and `modcache` the
    module cache; each absolute, with forward slashes, or empty when unknown. `modules` are the paths and folders of the
    modules in `root`, for -trimpath spellings.
    """

    root: str
    modules: tuple[tuple[str, str], ...] = ()
    goroot: str = ""
    modcache: str = ""
    _known: dict[str, str] = field(default_factory=dict)

    def spell(self, raw: str) -> str:
        """Return the contract's spelling of a path as printed (relative ones are relative to `root`)."""
        known = self._known.get(raw)
        if known is None:
            known = self._known[raw] = self._spell(raw)
        return known

    def _spell(self, raw: str) -> str:
        if not raw or raw.startswith("<"):
            return raw
        path = posixpath.normpath(raw.replace("\\", "/"))
        if not path.startswith("/"):
            for module, folder in self.modules:
                if path.startswith(module + "/"):  # -trimpath
                    return self.spell_absolute(folder + path[len(module) :])
            if not path.startswith("../") and "/" in path and self._is_trimmed(path):
                return path
            path = posixpath.normpath(posixpath.join(self.root, path))
        return self.spell_absolute(path)

    @staticmethod
    def _is_trimmed(path: str) -> bool:
        head = path.split("/", 1)[0]
        return "@" in path and "." in head

    def spell_absolute(self, path: str) -> str:
        """Spell an absolute, normalised path."""
        if self.root and path.startswith(self.root + "/"):
            return path[len(self.root) + 1 :]
        if self.goroot and path.startswith(self.goroot + "/src/"):
            return path[len(self.goroot) + 5 :]
        if self.modcache and path.startswith(self.modcache + "/"):
            return _in_module_cache(path[len(self.modcache) + 1 :])
        return spell_foreign(path)

    def to_path(self, name: str) -> str:
        """Return where a spelled file is on this machine; it may not exist."""
        if name.startswith("/") or not name:
            return name
        head = name.split("/", 1)[0]
        if "@" in name and "." in head:
            escaped = re.sub(r"[A-Z]", lambda match: "!" + match[0].lower(), name)
            return posixpath.join(self.modcache, escaped)
        return posixpath.join(self.root, name)


def spell_foreign(path: str) -> str:
    """Spell an absolute path of another machine: cut well-known prefixes of GOROOT and of a module cache."""
    cut = _MODCACHE.sub("", path)
    return _in_module_cache(cut) if cut != path else _GOROOT_SRC.sub("", path)


def _in_module_cache(path: str) -> str:
    return _TOOLCHAIN.sub("", _UPPER.sub(lambda match: match[1].upper(), path))
