"""The commands of the advisor: a module a command, light until one is called."""
