"""Thumbnails of folders that the tag editor or the tagger opened, by folder id and file key."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from webui.answers import Refusal
from webui.site import Site
from webui.thumbnails import BLANK, NoThumbnail


def router(site: Site) -> APIRouter:
    """GET /api/thumbnails/{folder_id}/{key}?size=192&v=<anything that changes with the picture>."""
    routes = APIRouter(prefix="/api/thumbnails")

    @routes.get("/{folder_id}/{key}")
    def thumbnail(folder_id: str, key: str, size: int = 192, v: str = "", blank: bool = False) -> Response:
        """blank: answer with a picture of one pixel where there is nothing to show. The page says so in its words; of a
        refusal every browser would write an error of its own into the console."""
        try:
            path = site.thumbnails.thumbnail(site.thumbnails.path_of(folder_id, key), size)
        except NoThumbnail as error:
            if blank:
                return Response(BLANK, media_type="image/webp", headers={"cache-control": "no-cache"})
            raise Refusal(404, str(error)) from None
        keep = "private, max-age=604800, immutable" if v else "no-cache"
        return FileResponse(path, media_type="image/webp", headers={"cache-control": keep})

    return routes
