"""Flashcrowd: sends the crowd beforehand, and names what breaks."""

from flashcrowd.errors import FlashcrowdError as FlashcrowdError
from flashcrowd.errors import RequestFailed as RequestFailed
from flashcrowd.users.refusal import give_up as give_up
from flashcrowd.users.refusal import insist as insist
from flashcrowd.users.refusal import obey as obey
from flashcrowd.users.response import Response as Response
from flashcrowd.users.user import User as User
from flashcrowd.users.user import step as step

__version__ = "0.1.0"
