"""The published description of the HTTP interface (OpenAPI 3.1): what is asked, what is answered, in which words."""
