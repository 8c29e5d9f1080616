"""Used by every room: errors, atomic files, memo, cost, did-you-mean. It imports no other room."""
