"""The networks that ship with the package, one module each."""
