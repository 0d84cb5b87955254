"""Understanding what a customer wants, over several turns."""
