"""The sealer: does for visitors without JavaScript what the page would have done. A process of its own."""
