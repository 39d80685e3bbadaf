"""What a leaked goroutine keeps alive is told, and what others refer to as well is not counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from toolchains import environment, newest, oldest

pytestmark = pytest.mark.live

WHYHEAP = Path(sys.executable).with_name("whyheap")
SIZE = 1 << 20
MODULE = {
    "go.mod": "module example.test/r\n\ngo 1.22\n",
    "held/held.go": """\
package held

// Known is reachable from here, whoever else refers to it.
var Known = map[int][]byte{}

// Start forgets a goroutine that has a buffer of its own, and the map that all know.
func Start() {
	for i := range 1000 {
		Known[i] = make([]byte, 1000)
	}
	go run(make([]byte, 1<<20), Known, make(chan []byte))
}

//go:noinline
func run(buffer []byte, known map[int][]byte, wait chan []byte) {
	copy(buffer, <-wait)
	known[0] = buffer
}
""",
    "held/held_test.go": """\
package held

import "testing"

func TestStart(t *testing.T) { Start() }
""",
    "large/large_test.go": """\
package large

import "testing"

var ballast []byte

func TestLarge(t *testing.T) {
	ballast = make([]byte, 600<<20)
	go func(wait chan int) { <-wait }(make(chan int))
}
""",
    "called/called_test.go": """\
package called

import (
	"syscall"
	"testing"
)

func TestRead(t *testing.T) {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100_000)
	go func() { syscall.Read(ends[0], buffer) }()
}
""",
}


def labels_and_notes(folder: Path, package: str, version: str, *flags: str) -> tuple[dict[str, str], list[str]]:
    module, temporary = folder / "module", folder / "temporary"
    for name, text in MODULE.items():
        (module / name).parent.mkdir(parents=True, exist_ok=True)
        (module / name).write_text(text, encoding="utf-8")
    temporary.mkdir()
    command = [str(WHYHEAP), "test", "--wait", "200ms", "--format", "json", package, "--", *flags]
    env = environment(version, TMPDIR=str(temporary))
    done = subprocess.run(command, cwd=module, env=env, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 1, done.stderr
    assert not list(temporary.glob("whyheap-test-*"))  # and with it the heap
    result = json.loads(done.stdout)
    (leak,) = result["violations"]
    return leak["labels"], result["notes"]


@pytest.mark.parametrize("version", [oldest(), newest()])
@pytest.mark.parametrize("flags", [(), ("-race",)], ids=["plain", "race"])
def test_its_own_buffer_is_told_and_not_the_map_of_all(tmp_path: Path, version: str, flags: tuple[str, ...]) -> None:
    labels, notes = labels_and_notes(tmp_path, "./held", version, *flags)
    assert SIZE <= int(labels["retained_bytes"]) <= SIZE * 1.01
    assert 2 <= int(labels["retained_objects"]) <= 4  # the buffer, the channel, and that it waits
    assert int(labels["largest_bytes"]) == SIZE
    assert labels["largest_held_by"] == "example.test/r/held.run"
    assert int(labels["stack_bytes"]) >= 2048
    assert labels["shared_bytes"] == "0"
    assert not any("not told" in note for note in notes)


def test_a_large_heap_is_not_written(tmp_path: Path) -> None:
    labels, notes = labels_and_notes(tmp_path, "./large", newest())
    assert "retained_bytes" not in labels
    said = "what leaked goroutines retain is not told: the heap has 600 MiB in "
    assert any(note.startswith(f"example.test/r/large: {said}") for note in notes)


def test_where_the_heap_cannot_be_written_it_says_why(tmp_path: Path) -> None:
    labels, _ = labels_and_notes(tmp_path / "old", "./called", oldest())
    assert 100_000 <= int(labels["retained_bytes"]) <= 110_000
    labels, notes = labels_and_notes(tmp_path / "new", "./called", newest())
    assert "retained_bytes" not in labels
    assert (
        "example.test/r/called: what leaked goroutines retain is not told: a goroutine is in a system call, and with "
        "one this Go cannot write its heap"
    ) in notes
