-- Jobs of Temporal go through the outbox, are looked at and cancelled there, and leave it, by the storage's functions.
insert into jobcore.engines (runner_type, admit, waits, cancel, leave)
values (
    'temporal', 'jobcore.outbox_admit', 'jobcore.outbox_waits', 'jobcore.outbox_cancel', 'jobcore.outbox_leave');
