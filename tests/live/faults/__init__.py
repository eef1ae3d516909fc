"""What happens to people on the phone when a part fails: each story has a lab of its own and runs in the background."""
