"""Sets Athanor up and starts its commands; `launch.sh` and `launch.bat` only find a Python and hand over to this.

Standard library, trainer.atomic and trainer.locks only: it runs before anything is installed. LIGHT.
"""
