"""One small page that shows what waits for what: `from seawall.console import Console`, and mount it in any ASGI app."""

from seawall.console.application import Console, from_this_machine

__all__ = ["Console", "from_this_machine"]
