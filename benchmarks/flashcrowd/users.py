"""Flashcrowd's users: ten requests with a cookie and a check (or as many as `--data requests=`), then the next user."""

from flashcrowd import User, step


class Visitor(User):
    """Asks, and looks at the answer."""

    timeout_s = 60.0

    @step
    async def look(self) -> None:
        """Each the same."""
        for _ in range(int(self.data.get("requests", "10"))):
            answer = await self.get("/")
            self.check(answer.body == b"ok", "not ok")
