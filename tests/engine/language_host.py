"""Stands in for Pulumi's Python language host, which is a download: runs the project's program in this very process.

The SDK's own server of inline programs does the work. Started by the engine as ``pulumi-language-python``; prints its
port.
"""

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer  # pyright: ignore[reportPrivateImportUsage]
from pulumi.runtime.proto import language_pb2, language_pb2_grpc


class Host(LanguageServer):
    """The server of the program that a request names."""

    def __init__(self) -> None:
        super().__init__(lambda: None)

    def Handshake(self, request: Any, context: Any) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Any:
        """They are those of this process."""
        return iter(())

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def Run(self, request: Any, context: Any) -> Any:
        folder = Path(request.info.program_directory)
        os.chdir(folder)

        def program() -> None:
            runpy.run_path(str(folder / "__main__.py"), run_name="__main__")

        self.program = program
        return super().Run(request, context)

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Run a policy pack in a process of its own: what it prints (its port first), and how it ends."""
        environment = dict(item.split("=", 1) for item in request.env)
        command = [sys.executable, "-u", "-m", "pulumi.policy", *request.args, request.info.program_directory]
        with subprocess.Popen(
            command,
            cwd=request.pwd,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        ) as running:
            context.add_callback(running.terminate)
            for line in running.stdout or ():
                yield language_pb2.RunPluginResponse(stdout=line)
        yield language_pb2.RunPluginResponse(exitcode=running.returncode)

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def _stop(_number: int, _frame: object) -> None:
    os._exit(0)


def main() -> None:
    """Serve until the engine ends this process, with a signal that is no error."""
    signal.signal(signal.SIGINT, _stop)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
