"""What a counter keeps: tables, their versions, and the two ways in, reading and writing."""
