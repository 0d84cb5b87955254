"""Answers from the knowledge base."""
