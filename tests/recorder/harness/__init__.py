"""The parts of the recorder, one idea a file."""
