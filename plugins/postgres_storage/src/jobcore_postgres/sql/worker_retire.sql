select jobcore.worker_forget(array[%s::uuid])
