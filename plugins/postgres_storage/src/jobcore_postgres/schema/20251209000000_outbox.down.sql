alter table jobcore.engines drop column leave;
drop table jobcore.outbox;
drop type jobcore.outbox_state;
