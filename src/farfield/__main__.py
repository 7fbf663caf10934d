"""``python -m farfield``."""

from farfield.cli.main import main

if __name__ == "__main__":
    main()
