"""The tests behind the statistical advisor; imported once it is asked, for they are heavy."""
