"""`make down`."""

from __future__ import annotations

from infra.local.stack import stop


def main() -> None:
    print("The stack is stopped." if stop() else "No stack was running.")


if __name__ == "__main__":
    main()
