"""The rooms of the `cardmill` command, which `controller.cli` puts together."""
