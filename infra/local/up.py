"""`make up`: starts the stack on RIGHTFUL_PORT and leaves it running."""

from __future__ import annotations

import os
import sys

from infra.local.emulator import LocalError, port_from
from infra.local.stack import DIRECTORY, start


def main() -> None:
    try:
        port = port_from(dict(os.environ))
        stack = start(port, report=lambda what, seconds: print(f"  {what}: {seconds:.1f} s", flush=True))
    except LocalError as error:
        sys.exit(str(error))
    print(f"privacy centre  {stack.api_url}/")
    print(f"API             {stack.api_url}")
    print(f"mailbox         {stack.mailbox_url}")
    print(f"AWS             {stack.endpoint_url}")
    print(f"all else        {DIRECTORY / 'stack.json'}\nStop it with `make down`.")


if __name__ == "__main__":
    main()
