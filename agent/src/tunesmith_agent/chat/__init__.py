"""Refinement sessions: a conversation about one study that ends in a proposal to be decided."""
