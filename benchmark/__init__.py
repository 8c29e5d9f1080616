"""Does a model represent things the way people do? Every comparison the field uses, in one command."""

__version__ = "0.1.0"
