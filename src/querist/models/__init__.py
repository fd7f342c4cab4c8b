"""Language and embedding models: who is called, over which protocol, for which role, at what cost."""
