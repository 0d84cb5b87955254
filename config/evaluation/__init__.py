"""How well the bot does its parts, measured on data that it has not seen."""
