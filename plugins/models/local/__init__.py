"""Language models of transformers, loaded into a process of their own: `LocalChat` is the bot's end, `ChatService` the child's.

Nothing here imports torch or transformers when it is imported.
"""
