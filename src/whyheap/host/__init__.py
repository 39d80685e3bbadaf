"""The only room that runs processes, opens sockets and touches files outside."""
