"""`python -m likeness` is the same as the command `likeness`."""

from likeness.cli import main

raise SystemExit(main())
