"""The forecast's middle, pure: estimates from moves, a fork of the floor, seeded runs of the same foreman, sums."""
