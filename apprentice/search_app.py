"""The server of the search page: the page, the same answers as JSON, and the indexed films by number."""

import mimetypes
import socket
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import FileResponse, HTMLResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from apprentice.search_page import search_page
from apprentice.showing import console
from apprentice.stages import UsageError
from pretrain.model import ModelError
from pretrain.search.searcher import Answer, Searcher
from pretrain.search.vectors import SearchError

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
"""Names of this machine to itself."""
_MOST = 100
"""Moments that can be asked for at once."""
_ASKABLE = 1000
"""Letters of a question."""


Question = Annotated[str, Query(max_length=_ASKABLE)]
Count = Annotated[int, Query(ge=1, le=_MOST)]


def make_app(searcher: Searcher, *, host: str = "127.0.0.1", count: int = 10) -> FastAPI:
    """The server: `/` is the page, `/api/search` the answer as JSON, `/clips/NUMBER` the file of an indexed clip.

    Files are named by their number in the index alone, and sent in the parts that a browser asks for.

    Args:
        searcher: who answers.
        host: address that is served; one of this machine alone answers to no other name.
        count: moments that are shown where no number is asked for.
    """
    app = FastAPI(title="apprentice search", docs_url=None, redoc_url=None, openapi_url=None)
    if host in LOOPBACK:
        # A foreign page must not reach this server under a name that it has pointed at this machine.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK))

    @app.get("/", response_class=HTMLResponse)
    def html_page(q: Question = "", k: Count = count) -> HTMLResponse:
        answer, problem = _answered(searcher, q, k) if q.strip() else (None, None)
        return HTMLResponse(search_page(searcher.index, q, answer, problem), status_code=400 if problem else 200)

    @app.get("/api/search")
    def json_answer(q: Question, k: Count = count) -> dict[str, Any]:
        answer, problem = _answered(searcher, q, k)
        if answer is None:
            raise HTTPException(400, problem)
        hits = [hit._asdict() | {"url": f"/clips/{hit.clip}"} for hit in answer.hits]
        return {"hits": hits, "unknown": list(answer.unknown), "milliseconds": 1e3 * answer.seconds}

    @app.get("/clips/{clip}", response_class=FileResponse)
    def film(clip: int) -> FileResponse:
        clips = searcher.index.clips
        path = Path(clips[clip].path) if 0 <= clip < len(clips) else None
        if path is None or not path.is_file():
            raise HTTPException(404, "no such clip")
        return FileResponse(path, media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream")

    return app


def serve(searcher: Searcher, host: str, port: int, count: int) -> None:
    """Serve the page until interrupted.

    Raises:
        UsageError: the port is taken.
    """
    app = make_app(searcher, host=host, count=min(count, _MOST))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
        except (OSError, OverflowError) as error:
            raise UsageError(f"{host}:{port} cannot be served ({error}); choose another --port") from error
        shown = f"[{host}]" if ":" in host else host
        console.print(f"http://{shown}:{door.getsockname()[1]} - end with Ctrl-C", soft_wrap=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[door])


def _answered(searcher: Searcher, asked: str, count: int) -> tuple[Answer | None, str | None]:
    """An answer, or why there is none."""
    try:
        return searcher.ask(asked, count), None
    except (ModelError, SearchError) as error:
        return None, str(error)
