"""Files and folders, always under what was granted (`confined`)."""
