"""What runs inside the sandbox: the standard library alone, on any Python from 3.9.

The outside sends these sources to a fresh interpreter over its control socket; no file of the
project need be readable there. What both sides share (`values`, `frames`) the outside imports too.
"""
