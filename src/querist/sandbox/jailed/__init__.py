"""What runs on the other side of the wall. Only the standard library: it is loaded without the rest of Querist."""
