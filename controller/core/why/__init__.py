"""Why a thing is where it is: `why` is the door; card, step and look find the facts, sentences say them."""
