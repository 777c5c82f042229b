alter table jobcore.announced drop column engine;
