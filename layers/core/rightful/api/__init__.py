"""What is particular to HTTP: bodies and answers, problems, the OpenAPI document."""
