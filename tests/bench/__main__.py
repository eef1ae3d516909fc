"""`python -m tests.bench [NAME ...]`, with SCALE in the environment."""

import os
import sys

from tests.bench.runner import main

sys.exit(main(sys.argv[1:], os.environ.get("SCALE", "1")))
