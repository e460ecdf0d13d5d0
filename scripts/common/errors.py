"""The errors that are the user's to mend: one clear message each, shown without a traceback."""


class UserError(Exception):
    """Something that the user can put right; the message says where, what is wrong, what is allowed, and the remedy."""
