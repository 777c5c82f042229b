pytest_plugins = ["jobcore_devkit.testing"]
