"""A tiny backend for tests: answers every path with its name, pid and the path, after ``?wait=`` seconds."""

import asyncio
import json
import os
import signal
import sys
from urllib.parse import parse_qs, urlsplit


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            target = urlsplit(head.split(b" ", 2)[1].decode())
            wait = parse_qs(target.query).get("wait")
            if wait:
                await asyncio.sleep(float(wait[0]))
            body = json.dumps({"name": sys.argv[1], "pid": os.getpid(), "path": target.path}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        writer.close()


async def _main() -> None:
    await asyncio.start_server(_serve, "127.0.0.1", int(os.environ["PORT"]))
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    print("answering", flush=True)
    await stopped.wait()


asyncio.run(_main())
