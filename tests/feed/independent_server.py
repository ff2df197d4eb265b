#!/usr/bin/env python3
"""A websocket server of other hands than ours (Debian's python3-websockets), so that the
follower does not only agree with servers that we wrote. Prints its port, then serves every
connection a fixed list of messages: whole, in fragments, large, compressed if the client
should ask for it, with pings that must be answered; then closes with 1001."""
import asyncio
import sys

import websockets


async def serve(socket, path):
    for n in range(1000):
        await socket.send(f"message {n} of {path}")
    await socket.send(["in ", "three ", "fragments"])
    await asyncio.wait_for(await socket.ping("are you there"), timeout=20)
    await socket.send("x" * 300_000)
    await socket.send(["y" * 100_000, "y" * 100_000])
    await socket.send("")
    await asyncio.wait_for(await socket.ping(), timeout=20)
    await socket.send("é漢😀")
    await socket.close(code=1001)


async def main():
    async with websockets.serve(serve, "127.0.0.1", 0, ping_interval=0.05, compression="deflate") as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
