drop table jobcore.reloads;
