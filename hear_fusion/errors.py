"""The base of all errors that this package raises on purpose."""


class HearFusionError(Exception):
    """Something is not as it must be; the message names it, the rule and the next step.

    Each error is also the ``ValueError``, ``TypeError``, ``OSError`` or ``RuntimeError`` that a
    program would expect.
    """
