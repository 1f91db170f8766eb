"""Session layouts: recognise a session by its keys, tell its age, whether somebody is logged in, and who created it."""
