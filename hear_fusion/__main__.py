"""Run the command line as ``python -m hear_fusion``."""

from hear_fusion.cli import main

if __name__ == "__main__":
    main(prog_name="hear-fusion")
