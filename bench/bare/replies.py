"""Bare side of the replies: the calls of each reply, its post, its thread, its answer, by tasks that keep nothing.

python bench/bare/replies.py BASE_URL TOKEN CLIENTS TASKS   (ids of posts on standard input; prints the seconds)
"""

import asyncio
import sys
import time

import httpx

BASE, TOKEN, CLIENTS, TASKS = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


async def say(http: httpx.AsyncClient, ids: list[str]) -> None:
    while ids:
        one = ids.pop()
        for path in ("", "/context"):
            (await http.get(f"{BASE}/api/v1/statuses/{one}{path}")).raise_for_status().json()
        body = {"status": "It is fixed in v1.0.0.", "in_reply_to_id": one, "visibility": "unlisted"}
        answer = await http.post(f"{BASE}/api/v1/statuses", json=body, headers={"Idempotency-Key": f"bare-{one}"})
        answer.raise_for_status().json()


async def main() -> None:
    ids = sys.stdin.read().split()
    clients = [httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) for _ in range(CLIENTS)]
    began = time.perf_counter()
    await asyncio.gather(*(say(clients[number % CLIENTS], ids) for number in range(TASKS)))
    print(time.perf_counter() - began)
    for client in clients:
        await client.aclose()


asyncio.run(main())
