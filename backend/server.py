"""The protocol over HTTP: bytes in, JSON coefficients out, one photo at a time."""

from __future__ import annotations

import asyncio
import functools
import logging
import secrets
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from math import isfinite
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import PROTOCOL, __version__, voxels
from .answer import FacesFound, Reconstruction
from .failures import Failure
from .memory import memory_in_use
from .photo import Box
from .pipeline import Reconstructor
from .skin import SIDES

BODY_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of an image file; what is larger is no photo."""

PATIENCE: Final = 16
"""A body of so many times the limit is not even read to its end."""

BODY_SECONDS: Final = 60.0
"""A client that has not sent its photo after this long is not waited for any longer."""

Answer = Reconstruction | FacesFound | voxels.VoxelReconstruction
Handler = Callable[[Request], Awaitable[Response]]

_log = logging.getLogger(__name__)


def create_app(reconstructor: Reconstructor, token: str) -> Starlette:
    """The server of DESIGN.md's protocol. `token` must come with every request but those to `/health/live`.

    Photos are reconstructed one after the other in a thread of their own, so that the server always answers; a
    request whose client has gone is dropped from the queue, or stopped at the next stage.
    """
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="likeness-reconstruct")
    objects = functools.cache(voxels.VoxelReconstructor.open)  # few ask for objects: loaded when the first one does

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(request: Request) -> Response:
        return JSONResponse(
            {
                "status": "ready",
                "provider": reconstructor.provider,
                "bundle": reconstructor.bundle.name,
                "bundle_sha256": reconstructor.bundle.sha256,
                "protocol": PROTOCOL,
                "version": __version__,
                "memory": memory_in_use(),
            }
        )

    async def bundle(request: Request) -> Response:
        _check_protocol(request)
        return JSONResponse(dict(reconstructor.bundle.description))

    async def faces(request: Request) -> Response:
        _check_protocol(request)
        photo = await _body(request)
        return await in_turn(request, lambda cancelled: reconstructor.faces(photo))

    async def reconstruct(request: Request) -> Response:
        _check_protocol(request)
        face, box, texture, detail = _face(request), _box(request), _texture(request), _detail(request)
        method = request.query_params.get("method")
        photo = await _body(request)
        if method == voxels.METHOD:
            return await in_turn(request, lambda cancelled: objects().reconstruct(photo, cancelled=cancelled))

        def work(cancelled: Callable[[], bool]) -> Reconstruction:
            return reconstructor.reconstruct(
                photo, face=face, box=box, method=method, texture=texture, detail=detail, cancelled=cancelled
            )

        return await in_turn(request, work)

    async def in_turn(request: Request, work: Callable[[Callable[[], bool]], Answer]) -> Response:
        gone = threading.Event()
        job = asyncio.get_running_loop().run_in_executor(worker, work, gone.is_set)
        left = asyncio.ensure_future(_left(request))
        try:
            either: set[asyncio.Future[Any]] = {job, left}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not job.done():
                raise Failure("cancelled")
            return JSONResponse(job.result().to_json())
        finally:
            gone.set()
            job.cancel()
            left.cancel()

    def guarded(handler: Handler) -> Handler:
        async def checked(request: Request) -> Response:
            _check_token(request, token)
            return await handler(request)

        return checked

    return Starlette(
        routes=[
            Route("/health/live", live),
            Route("/health/ready", guarded(ready)),
            Route("/v1/bundle", guarded(bundle)),
            Route("/v1/faces", guarded(faces), methods=["POST"]),
            Route("/v1/reconstruct", guarded(reconstruct), methods=["POST"]),
        ],
        exception_handlers={Failure: _failed, HTTPException: _no_route, Exception: _unexpected},
    )


def _check_token(request: Request, token: str) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(given.encode(), token.encode()):
        raise Failure("request_token")


def _check_protocol(request: Request) -> None:
    theirs = request.headers.get("likeness-protocol") or "none"
    if theirs != str(PROTOCOL):
        raise Failure("request_protocol", ours=PROTOCOL, version=__version__, theirs=theirs)


def _face(request: Request) -> int:
    value = request.query_params.get("face", "0")
    if not (value.isascii() and value.isdigit() and len(value) < 5):
        raise Failure("request_invalid", name="face", value=repr(value), wanted="a number from 0")
    return int(value)


def _box(request: Request) -> Box | None:
    value = request.query_params.get("box")
    if value is None:
        return None
    try:
        x, y, width, height = (float(word) for word in value.split(","))
    except ValueError:
        x = y = width = height = float("nan")
    if not (all(map(isfinite, (x, y, width, height))) and width > 0 and height > 0):
        raise Failure("request_invalid", name="box", value=repr(value), wanted="x,y,width,height in pixels")
    return x, y, width, height


def _texture(request: Request) -> int | None:
    value = request.query_params.get("texture")
    if value is None:
        return None
    known = {str(side): side for side in SIDES}
    if value not in known:
        raise Failure("request_invalid", name="texture", value=repr(value), wanted=f"one of {', '.join(known)}")
    return known[value]


def _detail(request: Request) -> bool:
    value = request.query_params.get("detail", "0")
    if value not in ("0", "1"):
        raise Failure("request_invalid", name="detail", value=repr(value), wanted="0 or 1")
    return value == "1"


async def _body(request: Request) -> bytes:
    """The request's body. One that is too large is still read to its end, though not kept: an answer sent before
    that would be lost with the connection."""
    body, length = bytearray(), 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                length += len(chunk)
                if length <= BODY_LIMIT:
                    body += chunk
                elif length > PATIENCE * BODY_LIMIT:
                    break
    except TimeoutError as error:
        raise Failure("request_stalled", seconds=f"{BODY_SECONDS:.0f}") from error
    except ClientDisconnect as error:
        raise Failure("cancelled") from error
    if length > BODY_LIMIT:
        raise Failure("request_too_large", limit=BODY_LIMIT // 2**20)
    return bytes(body)


async def _left(request: Request) -> None:
    """Return when the client has gone; only for a request whose body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, Failure)
    return JSONResponse({"error": {"code": error.code, "message": str(error), "facts": error.facts}}, error.status)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    failure = Failure("request_route", verb=request.method, path=request.url.path)
    return JSONResponse(
        {"error": {"code": failure.code, "message": str(failure), "facts": failure.facts}}, error.status_code
    )


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("unexpected error", exc_info=error)
    return await _failed(request, Failure("internal", reason=type(error).__name__))
