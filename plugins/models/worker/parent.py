"""The bot's end of a child process that holds a model."""
