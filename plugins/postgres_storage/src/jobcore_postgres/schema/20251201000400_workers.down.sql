drop table jobcore.workers;
