"""A kubectl for tests: answers from tests/recorded/kubernetes, and forwards ports to a live process of this machine.

`write(folder, ...)` puts an executable named kubectl. Its settings: `ports` maps a pod's ports to those of this
machine, `forbidden` lists what RBAC refuses ("pods/portforward"), `slow_seconds` delays every answer.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

RECORDED = Path(__file__).resolve().parent / "recorded" / "kubernetes"


def write(folder: Path, **settings: Any) -> Path:
    """Write the executable; what it was asked, it notes in folder/asked.txt."""
    program = folder / "kubectl"
    (folder / "settings.json").write_text(json.dumps(settings))
    program.write_text(
        f"#!{sys.executable}\nimport runpy, sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        f"import stand_in_kubectl\nstand_in_kubectl.main({str(folder)!r})\n"
    )
    program.chmod(0o755)
    return program


def main(folder: str) -> None:
    settings = json.loads((Path(folder) / "settings.json").read_text())
    arguments = sys.argv[1:]
    with (Path(folder) / "asked.txt").open("a") as notes:
        notes.write(f"{os.getpid()} {' '.join(arguments)}\n")
    time.sleep(settings.get("slow_seconds", 0))
    if settings.get("unreachable"):
        fail("The connection to the server localhost:8080 was refused - did you specify the right host or port?")
    match arguments:
        case ["get", "pods", *_]:
            for path in sorted((RECORDED / "pods").glob("*.json")):
                sys.stdout.write(f"pod/{path.stem}\n")
        case ["get", "pod", name, *_]:
            refuse(settings, "pods", "get", name)
            answer(settings.get("pods", {}).get(name) or RECORDED / "pods" / f"{name}.json", f'pods "{name}"')
        case ["get", "events", *_]:
            refuse(settings, "events", "list", "")
            name = next(one for one in arguments if one.startswith("involvedObject.name=")).partition("=")[2]
            path = RECORDED / "events" / f"{name}.json"
            sys.stdout.write(path.read_text() if path.exists() else '{"apiVersion":"v1","items":[],"kind":"List"}')
        case ["get", "node", name, *_]:
            refuse(settings, "nodes", "get", name)
            answer(RECORDED / "nodes" / f"{name}.json", f'nodes "{name}"')
        case ["get", "configmap", name, *_]:
            data = json.loads((RECORDED / "configmaps" / f"{name}.json").read_text())["data"]
            key = arguments[-1].removeprefix("jsonpath={.data.").removesuffix("}").replace("\\.", ".")
            sys.stdout.write(data.get(key, ""))
        case ["get", "--raw", path] if "/apis/metrics.k8s.io/" in path:
            answer(RECORDED / "metrics" / f"{path.rpartition('/')[2]}.json", "the server could not find the resource")
        case ["get", "--raw", path]:
            refuse(settings, "pods/proxy", "get", "")
            proxy(settings, path)
        case ["logs", name, *_]:
            path = RECORDED / "logs" / f"{name}.txt"
            sys.stdout.write(path.read_text() if path.exists() else "")
        case ["port-forward", *_]:
            refuse(settings, "pods/portforward", "create", arguments[-2])
            forward(settings, int(arguments[-1].removeprefix(":")))
        case _:
            fail(f"error: unknown command {arguments}")


def fail(text: str) -> NoReturn:
    sys.stderr.write(f"{text}\n")
    sys.exit(1)


def refuse(settings: dict[str, Any], resource: str, verb: str, name: str) -> None:
    if resource in settings.get("forbidden", ()):
        fail(
            f'Error from server (Forbidden): {resource} "{name}" is forbidden: User "jane@example.com" cannot {verb} '
            f'resource "{resource}" in API group "" in the namespace "prod"'
        )


def answer(path: Path | str, what: str) -> None:
    if not Path(path).exists():
        fail(f"Error from server (NotFound): {what} not found")
    sys.stdout.write(Path(path).read_text())


def proxy(settings: dict[str, Any], path: str) -> None:
    """Answer as the API server's proxy: /api/v1/namespaces/NS/pods/POD:PORT/proxy/PATH."""
    head, _, rest = path.partition("/proxy/")
    port = settings.get("ports", {}).get(head.rpartition(":")[2])
    if port is None:
        fail("Error from server (ServiceUnavailable): error trying to reach service: connection refused")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{rest}") as body:
            sys.stdout.buffer.write(body.read())
    except urllib.error.HTTPError as error:
        fail(f"Error from server (NotFound): the server could not find the requested resource ({error.code})")


def forward(settings: dict[str, Any], port: int) -> None:
    """Forward one port after the other as kubectl does, which ends when the pod refuses a connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sys.stdout.write(f"Forwarding from 127.0.0.1:{server.getsockname()[1]} -> {port}\n")
        sys.stdout.flush()
        while True:
            client, _ = server.accept()
            sys.stdout.write(f"Handling connection for {port}\n")
            sys.stdout.flush()
            try:
                target = socket.create_connection(("127.0.0.1", settings.get("ports", {}).get(str(port), 1)))
            except OSError:
                client.close()
                fail("error: lost connection to pod")
            for one, other in ((client, target), (target, client)):
                threading.Thread(target=copy, args=(one, other), daemon=True).start()


def copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(1 << 16):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
