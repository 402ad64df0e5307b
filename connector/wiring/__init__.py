"""
Configuration → objects. The only room that knows every other.

Each module puts one thing together (`run`, `check`, `tail`) or says what one of the other rooms is told.
Import the one that is needed: nothing is loaded for the others.
"""
