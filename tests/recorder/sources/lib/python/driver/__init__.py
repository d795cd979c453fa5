"""What the Python drivers share: telemetry, the choice of the case, and the calls of the usual clients."""
