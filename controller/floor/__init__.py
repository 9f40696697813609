"""The floor: the foreman and the stations, brought together."""
