"""Model families: how a base model is read, asked and adapted. What a family is, is in base.py."""
