"""Where code that a model wrote runs: walled off from files, network, secrets and other processes."""
