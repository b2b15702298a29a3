"""`manage.py symbolicate`: one crash file on the command line, with what lies in directories and on symbol servers.

It needs neither the service nor its database, and no Django unless a project's stored sources are asked for.
"""
