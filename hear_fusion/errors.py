"""All errors that this package raises on purpose have one base.

Each is also the built-in error that a program would expect, and its message says what must hold,
what came instead, and what to do next.
"""

import reprlib

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxdict, _SHORT.maxlist, _SHORT.maxtuple = 4, 10, 20, 20
_SHORT.maxstring = _SHORT.maxother = 100


def shown(value: object) -> str:
    """Write a value into a message; one that is long or deep is shortened.

    >>> shown({"a": [1, [2, [3, [4]]]]})
    "{'a': [1, [2, [...]]]}"
    """
    return _SHORT.repr(value)


class HearFusionError(Exception):
    """Something is not as it must be.

    >>> import hear_fusion
    >>> try:
    ...     hear_fusion.load("cnn14_9")
    ... except hear_fusion.HearFusionError as err:
    ...     print(err)
    layers of cnn14 must be among 1 2 3 4 5 6, got 9
    """


class InvalidError(HearFusionError, ValueError):
    """A value, or what a file or folder holds, breaks a rule."""


class InvalidTypeError(HearFusionError, TypeError):
    """A value is of the wrong kind."""


class MissingModuleError(HearFusionError, ModuleNotFoundError):
    """A module is not valid, or not installed."""


class FileSystemError(HearFusionError, OSError):
    """A file cannot be read or written, or a process was lost."""


class ForeignFolderError(FileSystemError, FileExistsError):
    """A folder that this package did not write is where one shall be written."""


class ToolError(HearFusionError, RuntimeError):
    """A program that was called is not content."""
