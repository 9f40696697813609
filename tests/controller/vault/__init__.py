"""The vault: seals, keys, key files."""
