"""A language model behind the advisor: what it is shown, asked, and believed."""
