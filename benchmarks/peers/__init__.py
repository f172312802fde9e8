"""Other libraries beside `lic`, each in an environment of its own."""
