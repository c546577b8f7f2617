"""The one place that names threading and asyncio."""
