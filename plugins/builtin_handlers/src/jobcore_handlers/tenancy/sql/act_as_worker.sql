set local role jobcore_worker
