"""What drives the foreman: the live floor, or a bare heap for replay and simulation."""
