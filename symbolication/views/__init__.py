"""The endpoints of symbolication: Symbolicator's at the root, and one per project with its stored sources.

The order is: who asks (401, 403, 404), the query string and the content type (400, 415), a place among the requests in
flight (503), the body (408, 413, 400, 422). A request that will be refused costs no memory for its body, and bodies on
their way in are as few as there are places; what is left of an unread body is read away within bounds.
"""
