"""``python -m tests.docs``: exit code 1 where the documentation names what is not there."""

import sys
from pathlib import Path

from tests.docs import check_page, documentation

ROOT = Path(__file__).parents[2]


def main() -> int:
    pages = documentation(ROOT)
    findings = [finding for page in pages for finding in check_page(page)]
    for finding in findings:
        print(finding, file=sys.stderr)
    print(f"{len(pages)} pages of documentation, {len(findings)} mistakes")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
