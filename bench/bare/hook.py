"""Bare side of an acknowledgement: the same server with the same options, and nothing but the signature."""

import hashlib
import hmac
import sys

import uvicorn
from fastapi import FastAPI, Request, Response

PORT, SECRET = int(sys.argv[1]), sys.argv[2].encode()
app = FastAPI()


@app.post("/hooks/trackers/1")
async def hook(request: Request) -> Response:
    wanted = "sha256=" + hmac.new(SECRET, await request.body(), hashlib.sha256).hexdigest()
    is_genuine = hmac.compare_digest(wanted, request.headers.get("x-hub-signature-256", ""))
    return Response(status_code=202 if is_genuine else 401)


uvicorn.run(app, port=PORT, log_config=None, access_log=False, timeout_graceful_shutdown=10, server_header=False)
