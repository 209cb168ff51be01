"""Versions by their day, an institution's folder in the place of ours, and what keeps the process from starting."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingam.center.terms.registry import SHIPPED, Registry, TermsRefused

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
OWN = "# 온라인서비스 이용약관\n\n## 제1조 (목적)\n\n우리 약관입니다.\n"


def write(folder: Path, name: str, text: str = OWN) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_later_version_takes_the_place_on_its_day_in_korea(tmp_path: Path) -> None:
    for version in ("2026-01-01", "2026-12-01", "2027-03-01"):
        write(tmp_path, f"T1/{version}.ko.md", OWN + version)
    registry = Registry.read(tmp_path)
    assert registry.current("T1", NOW).version == "2026-01-01"
    last_second = datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC)
    assert registry.current("T1", last_second).version == "2026-01-01"
    assert registry.current("T1", datetime(2026, 11, 30, 15, 0, tzinfo=UTC)).version == "2026-12-01"
    assert registry.find("T1", "2027-03-01") is not None
    assert registry.find("T1", "2025-01-01") is None
    assert registry.find("T0", "2026-01-01") is None


def test_before_the_first_version_the_first_one_counts() -> None:
    assert Registry.read().current("T1", datetime(2020, 1, 1, tzinfo=UTC)).version == "2026-11-01"


def test_the_digest_is_that_of_the_files_exact_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, "T1/2026-01-01.ko.md", OWN.replace("\n", "\r\n") + "  \n")
    path.write_bytes(path.read_bytes() + b"\r\n")
    document = Registry.read(tmp_path).current("T1", NOW)
    assert document.sha256("ko") == hashlib.sha256(path.read_bytes()).hexdigest()
    shipped = SHIPPED / "T2" / "2026-11-01.en.md"
    assert Registry.read().current("T2", NOW).sha256("en") == hashlib.sha256(shipped.read_bytes()).hexdigest()


def test_an_institutions_document_replaces_ours_wholly_and_alone(tmp_path: Path) -> None:
    write(tmp_path, "T1/2026-01-01.ko.md")
    registry = Registry.read(tmp_path)
    own = registry.current("T1", NOW)
    assert own.version == "2026-01-01" and not own.example
    assert registry.find("T1", "2026-11-01") is None
    assert registry.current("T2", NOW).example
    # Without a translation everybody reads, and agrees to, the Korean text.
    assert own.text("en") == own.text("ko") and own.tick("en") == own.tick("ko")


def test_an_institution_may_name_owner_and_title_anew(tmp_path: Path) -> None:
    write(tmp_path, "terms.toml", '[T1]\nowner_ko = "한빛금융"\n[T7]\nrequired = false\n')
    write(tmp_path, "T1/2026-01-01.ko.md")
    write(tmp_path, "T7/2026-01-01.ko.md")
    registry = Registry.read(tmp_path)
    first = registry.current("T1", NOW)
    assert (first.owner("ko"), first.title("ko")) == ("한빛금융", "온라인서비스 이용약관")
    assert not registry.current("T7", NOW).required


def test_G7_production_starts_only_without_examples(tmp_path: Path) -> None:
    with pytest.raises(TermsRefused, match="cause=example"):
        Registry.read(production=True)
    for number in range(1, 10):
        write(tmp_path, f"T{number}/2026-01-01.ko.md")
    assert not Registry.read(tmp_path, production=True).current("T9", NOW).example


@pytest.mark.parametrize(
    ("name", "text", "cause"),
    [
        ("T10/2026-01-01.ko.md", OWN, "unknown-document"),
        ("T1/2026-01-01.md", OWN, "file-name"),
        ("T1/2026-13-01.ko.md", OWN, "file-name"),
        ("T1/2026-01-01.en.md", OWN, "korean-missing"),
        ("T1/2026-01-01.ko.md", " \n", "empty"),
        ("T1/2026-01-01.ko.md", "가" * 100_000, "too-large"),
        ("T1/.keep", "", "no-version"),
        ("terms.toml", "[T1\n", "catalogue"),
        ("terms.toml", "[T10]\n", "catalogue"),
        ("terms.toml", '[T1]\nkind = "advice"\n', "catalogue"),
    ],
)
def test_a_folder_with_a_mistake_is_refused_by_its_cause(tmp_path: Path, name: str, text: str, cause: str) -> None:
    write(tmp_path, name, text)
    with pytest.raises(TermsRefused, match=f"cause={cause}"):
        Registry.read(tmp_path)


def test_a_folder_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TermsRefused, match="cause=folder-missing"):
        Registry.read(tmp_path / "nowhere")
    write(tmp_path, "T1/2026-01-01.ko.md").write_bytes(b"\xb1\xe2\xbe\xf7")
    with pytest.raises(TermsRefused, match="cause=not-utf8"):
        Registry.read(tmp_path)


def test_a_consent_counts_for_the_current_text_in_either_language_only() -> None:
    registry = Registry.read()
    one, other = registry.current("T1", NOW), registry.current("T2", NOW)
    for lang in ("ko", "en"):
        assert registry.accepts("T1", one.version, one.sha256(lang), NOW)
    assert not registry.accepts("T1", one.version, other.sha256("ko"), NOW)
    assert not registry.accepts("T1", "2026-10-01", one.sha256("ko"), NOW)
