"""Islands: several searches of one problem side by side, over processes or machines, that exchange designs."""
