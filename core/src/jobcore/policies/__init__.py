"""Decisions that need no I/O: when to retry, when to fire, which runner, whether to try a failing peer at all.

Import the room that you need (`jobcore.policies.retry`, `.cron`, `.intervals`, `.missed`, `.breaker`, `.routing`);
nothing is re-exported here, so that `import jobcore` loads no calendar.
"""
