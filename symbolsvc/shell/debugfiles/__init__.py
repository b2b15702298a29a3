"""`manage.py debugfiles`: look into debug files, upload them to a project, list what a project has.

To look into files needs neither the service nor its database.
"""
