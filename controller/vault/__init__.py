"""The vault: portraits and personal fields, encrypted per batch, and the keys that open them."""
