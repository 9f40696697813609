"""What is decided: pure, synchronous, fed with times; no trio, zmq, SQL, clock or random."""
