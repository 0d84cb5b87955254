"""What separates new text from old in a mail: attributions, header blocks, quotes, signatures, footers; languages in tables."""
