pytest_plugins = ["postdeploy.plugin"]
