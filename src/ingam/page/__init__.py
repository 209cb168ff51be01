"""What every screen shares: the shell around a request, the layout and its parts, failures, CSRF, headers, language.

`Shell` goes outermost around an application, `Pages` renders, `failure_handlers()` go to Starlette, `shell_routes()`
add the static files, the language switch and the health answer.
"""

from ingam.page.back import local_path
from ingam.page.bundle import Bundle
from ingam.page.coming import Coming, coming_route
from ingam.page.failures import failure_handlers, failure_response, see_other, status_of
from ingam.page.language import language_of
from ingam.page.log import set_up_log
from ingam.page.menu import Place
from ingam.page.origin import check_origin, check_post
from ingam.page.pages import Pages, PageSettings, render
from ingam.page.routes import shell_routes
from ingam.page.shell import Shell, middleware
from ingam.page.viewer import Viewer

__all__ = [
    "Bundle",
    "Coming",
    "PageSettings",
    "Pages",
    "Place",
    "Shell",
    "Viewer",
    "check_origin",
    "check_post",
    "coming_route",
    "failure_handlers",
    "failure_response",
    "language_of",
    "local_path",
    "middleware",
    "render",
    "see_other",
    "set_up_log",
    "shell_routes",
    "status_of",
]
