"""Sites: rules.py decides, service.py does."""
