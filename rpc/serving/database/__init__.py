"""Storage of a counter: tables, their versions, and the two ways in, reading and writing."""
