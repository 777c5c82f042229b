-- Nothing to undo: statistics are renewed by autovacuum.
select;
