"""Python's httpx, as a program that says what it reads and when: httpx-client.py URL [CERTIFICATE].

It prints what lib/programs.mjs describes, one JSON object a line.
"""

import base64
import json
import ssl
import sys
import time

import httpx


def say(**what):
    print(json.dumps(what), flush=True)


url, *certificates = sys.argv[1:]
verify = ssl.create_default_context(cafile=certificates[0]) if certificates else True
try:
    with httpx.Client(http2=True, verify=verify, trust_env=False) as client:
        with client.stream("GET", url) as response:
            say(head={
                "status": response.status_code,
                "version": response.http_version,
                "coding": response.headers.get("content-encoding", "none"),
            })
            for piece in response.iter_bytes():
                at = time.time() * 1e3
                say(at=at, bytes=base64.b64encode(piece).decode())
    say(end="clean")
except httpx.HTTPError as error:
    say(end=f"{type(error).__name__}: {error}")
