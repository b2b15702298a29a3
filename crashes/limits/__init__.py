"""How much a project and a token may send: judged before anything of the body is read, without the database."""
