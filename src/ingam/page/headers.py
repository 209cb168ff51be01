"""The headers of every answer (security B3, B12, B13, F2): one function, so that no route can forget one."""

from __future__ import annotations

from typing import Final

# What a page of ours never needs; the vault frame may write to the clipboard and use passkeys.
DENIED: Final = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture",
    "encrypted-media", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone",
    "midi", "payment", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip


def content_policy(nonce: str, vault_origin: str) -> str:
    """The Content-Security-Policy of a document; `frame-src` names the vault alone (B1), nothing frames us."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            f"frame-src {vault_origin or chr(39) + 'none' + chr(39)}",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def fixed_headers(vault_origin: str, secure: bool) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that are the same on every answer; `secure` adds HSTS."""
    frame = f'(self "{vault_origin}")' if vault_origin else "(self)"
    permissions = ", ".join([f"{name}=()" for name in DENIED])
    headers = {
        "X-Content-Type-Options": "nosniff",
        # Nothing leaves our origin; on it, forms keep their Origin header, which no-referrer would make `null` (F3).
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Origin-Agent-Cluster": "?1",
        "Permissions-Policy": f"{permissions}, clipboard-write={frame}, publickey-credentials-get={frame}",
    }
    if secure:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())
