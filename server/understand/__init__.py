"""What is asked: kind of question, named study, subject; "cannot tell" is an answer."""
