"""Pictures of a finished round: what it found, and where."""
