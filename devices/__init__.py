"""How one station is spoken to: messages, sans-IO link protocol, links, drivers."""
