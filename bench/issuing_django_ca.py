"""django-ca's side of `bench.issuing`, run by the Python of its own environment; also the settings of that Django.

`python issuing_django_ca.py FOLDER first|next`: `first` makes database and CA (RSA-2048); then each line on stdin asks
for so many certificates, one transaction each, and is answered with `done`. CSRs are made before the clock starts.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
CSRS = 40

SECRET_KEY = "bench"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django_ca"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FOLDER / "db.sqlite3",
        "OPTIONS": {"timeout": 30},
    }
}
_FILES = "django.core.files.storage.FileSystemStorage"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": _FILES},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "django-ca": {"BACKEND": _FILES, "OPTIONS": {"location": FOLDER / "files", "file_permissions_mode": 0o600}},
}
CA_DEFAULT_HOSTNAME = "ca.ingam.test"
CA_USE_CELERY = False
ROOT_URLCONF = "issuing_django_ca"


def __getattr__(name: str) -> Any:
    """`urlpatterns`, for the addresses that certificates name: Django must stand before they can be made."""
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.urls import include, path  # type: ignore[import-not-found]  # in its own environment alone

    return [path("django_ca/", include("django_ca.urls"))]


def signing_request(host: str) -> Any:
    """For a fresh P-256 key."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.hashes import SHA256

    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    key = generate_private_key(SECP256R1())
    return x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())


def main() -> int:
    """Until stdin ends."""
    import django  # type: ignore[import-not-found]

    django.setup()
    from django.core.management import call_command  # type: ignore[import-not-found]
    from django_ca.models import Certificate, CertificateAuthority  # type: ignore[import-not-found]

    if sys.argv[2] == "first":
        call_command("migrate", verbosity=0)
        call_command("init_ca", "bench", "CN=bench", key_type="RSA", key_size=2048, stdout=io.StringIO())
    authority = CertificateAuthority.objects.get(name="bench")
    options = authority.key_backend.get_use_private_key_options(authority, {})
    requests = [signing_request(f"host-{number}.ingam.test") for number in range(CSRS)]
    print("done", flush=True)
    for line in sys.stdin:
        for number in range(int(line)):
            request = requests[number % CSRS]
            Certificate.objects.create_cert(authority, options, request, subject=request.subject, add_ocsp_url=True)
        print("done", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
