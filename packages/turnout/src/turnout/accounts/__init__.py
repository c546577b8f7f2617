"""Users, sessions, API keys: rules.py decides, service.py does."""
