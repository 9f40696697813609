"""The parts of the portrait codec; the door is `encoders.portrait`."""
