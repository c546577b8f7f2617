"""Flashcrowd beside Locust's FastHttpUser and k6, each in its ordinary form, against one small server."""
