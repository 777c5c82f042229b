drop table jobcore.announced;
