"""Attacks on a sandbox, each judged from outside. They are bounded, stay on this machine, and aim at canaries."""
