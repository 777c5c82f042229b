"""What the worker of any engine does in the background: tasks, connections of its own, hearing, firing schedules."""
