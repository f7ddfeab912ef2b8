"""Tools for working on the project. None is part of the server."""
