"""Plugins: what other packages, and folders that you trust, add to Querist.

`interface` is all that a plugin sees, `load` finds and loads plugins, `new` writes one.
"""
