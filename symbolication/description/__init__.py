"""What the API's description says of the endpoints of symbolication."""
