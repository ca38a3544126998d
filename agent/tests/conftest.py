import sys
from pathlib import Path

# helpers beside the tests
sys.path.append(str(Path(__file__).parent))
