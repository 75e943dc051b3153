"""What the service does, one verb a file. Jobs join subjects and adapters; they never call one another."""
