"""`python -m flashcrowd`."""

from flashcrowd.cli import main

if __name__ == "__main__":
    main()
