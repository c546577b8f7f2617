"""One service a file: `PLANTED` says what is planted, `build` makes the ASGI application. Neither knows of the other."""
