"""Writes the table of field rules as JSON for the browser bundle: `python scripts/fields_json.py [OUT]`.

One source, `src/ingam/customer/fields.py`; the default OUT is `browser/src/generated/fields.json`, which is not kept:
`scripts/build_browser.py` makes it anew.
"""

import sys
from pathlib import Path

from ingam.customer import fields

OUT = Path(__file__).parents[1] / "browser" / "src" / "generated" / "fields.json"


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(fields.table(), encoding="utf-8")
