"""The headers of every answer (security B3, B12, B13, F2): one function, so that no route can forget one."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

# What a page of ours never needs; the vault frame may write to the clipboard and make and use passkeys.
DENIED: Final = (
    "accelerometer", "autoplay", "browsing-topics", "display-capture", "encrypted-media",
    "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone",
    "midi", "payment", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip


WORKER_POLICY: Final = (
    "default-src 'none'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The service worker's own: it asks for files and pages of its own origin, and nothing else."""


def content_policy(nonce: str, vault_origin: str, *, web_app: bool = False) -> str:
    """The Content-Security-Policy of a document; `frame-src` names the vault alone (B1), nothing frames us.

    `web_app`: the document may name a manifest and register the service worker, by the policy `ingam-sw` alone (B13).
    """
    app = ("manifest-src 'self'", "worker-src 'self'") if web_app else ()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            f"frame-src {vault_origin or chr(39) + 'none' + chr(39)}",
            *app,
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types ingam-sw" if web_app else "trusted-types 'none'",
        )
    )


class Camera(StrEnum):
    """Who may use the camera on a page: nobody, the page itself, or the vault's frame in it as well."""

    NOBODY = "nobody"
    PAGE = "page"
    FRAME = "frame"


def fixed_headers(
    vault_origin: str, secure: bool, *, camera: Camera = Camera.NOBODY
) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that are the same on every answer; `secure` adds HSTS."""
    frame = f'(self "{vault_origin}")' if vault_origin else "(self)"
    allowed = {
        # A frame may use only what the page around it may use too (Permissions Policy, 9.7).
        "camera": {Camera.NOBODY: "()", Camera.PAGE: "(self)", Camera.FRAME: frame}[camera],
        "clipboard-write": frame,
        "publickey-credentials-create": frame,
        "publickey-credentials-get": frame,
    }
    permissions = ", ".join(f"{name}={who}" for name, who in (dict.fromkeys(DENIED, "()") | allowed).items())
    headers = {
        "X-Content-Type-Options": "nosniff",
        # Nothing leaves our origin; on it, forms keep their Origin header, which no-referrer would make `null` (F3).
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Origin-Agent-Cluster": "?1",
        "Permissions-Policy": permissions,
    }
    if secure:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())
