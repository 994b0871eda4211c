"""Lets `python -m etltui` be the command."""

from etltui.cli.main import main

if __name__ == "__main__":
    main()
