drop table jobcore.payload_schemas;
