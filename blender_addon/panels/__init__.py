"""The panels: they draw."""

from . import head, main

CLASSES = (*main.CLASSES, *head.CLASSES)
