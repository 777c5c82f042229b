select jobcore.quota_keep_up()
