"""Writes the policy table as JSON for the browser bundle: `python scripts/policies_json.py [OUT]`.

One source, `src/ingam/npki/policies.toml`; the default OUT is `browser/src/generated/policies.json`, which is not kept:
`scripts/build_browser.py` makes it anew.
"""

import json
import sys
from pathlib import Path

from ingam.npki import policies

OUT = Path(__file__).parents[1] / "browser" / "src" / "generated" / "policies.json"


def table() -> str:
    """The JSON text: {authorities: [{key, o, brands, arc, name, ended, policies: [{oid, name, use, holder}]}]}."""
    rows = policies.policies()
    found = [
        {
            "key": ca.key,
            "o": ca.o,
            "brands": list(ca.brands),
            "arc": ca.arc,
            "name": {"ko": ca.name_ko, "en": ca.name_en},
            "ended": ca.ended,
            "policies": [
                {"oid": row.oid, "name": {"ko": row.name_ko, "en": row.name_en}, "use": row.use, "holder": row.holder}
                for row in rows
                if row.ca == ca
            ],
        }
        for ca in policies.authorities()
    ]
    return json.dumps({"authorities": found}, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(table(), encoding="utf-8")
