from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from whyheap.host.procfs import (
    find_listening_pids,
    read_go_variables,
    read_machine_memory,
    read_status,
    serves_command_line,
)


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, ""), (socket.AF_INET6, "::1")]
)
def test_the_listener_of_a_port_is_found(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as server:
        try:
            server.bind((host, 0))
        except OSError:
            pytest.skip("no such address family here")
        server.listen()
        assert os.getpid() in find_listening_pids(server.getsockname()[1])


def test_a_port_that_nobody_serves() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert find_listening_pids(unused.getsockname()[1]) == ()


def test_own_status_and_machine() -> None:
    values, gaps = read_status(os.getpid())
    assert values["rss"] > 1 << 20
    assert values["threads"] >= 1
    assert gaps == ()
    machine = read_machine_memory()
    assert machine is not None
    assert 0 < machine[1] < machine[0]


def test_command_line_is_compared(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7/cmdline").write_bytes(b"/shop\0-token=x\0")
    assert serves_command_line(7, b"/shop\0-token=x", tmp_path)
    assert not serves_command_line(7, b"/other", tmp_path)
    assert not serves_command_line(8, b"/shop", tmp_path)


def test_only_two_variables_are_read(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7/environ").write_bytes(b"SECRET=hunter2\0GOGC=50\0GOMEMLIMIT=1GiB\0GOGC=70\0MYGOGC=1\0")
    assert read_go_variables(7, tmp_path) == ({"GOGC": "50", "GOMEMLIMIT": "1GiB"}, ())


def test_what_cannot_be_read_is_a_gap(tmp_path: Path) -> None:
    assert read_status(7, tmp_path)[1][0].witness == "process"
    assert "GOGC" in read_go_variables(7, tmp_path)[1][0].reason
    assert read_machine_memory(tmp_path) is None
    assert find_listening_pids(80, tmp_path) == ()
